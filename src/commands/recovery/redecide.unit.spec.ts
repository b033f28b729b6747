import { expect } from 'chai';
import { type ActWorld, actWorld, ORG, PAYMENT_ID } from '../../../test/support/actWorld.js';
import { answersOf } from '../../../test/support/cards/answers.js';
import { policy } from '../../../test/support/recoverySamples.js';
import { type Dice, dice as diceOf, randomOf } from '../../../test/support/random.js';
import { decideAgain, decisionsIn } from '../../../test/support/redecide.js';
import { aRule } from '../../../test/support/ruleSamples.js';
import type { RetryPolicy } from '../../events/organization.js';
import { rulesStream } from '../../events/rules.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { ChargeOutcome, Failure } from '../../kernel/ports.js';
import { builtInPolicy } from '../organization/builtInPolicy.js';
import { namesOf, onCredential } from '../credential/attempts.js';
import { handle } from '../handle.js';
import { rulesDecider } from '../rules/decide.js';

const BRAND = 'visa';
const CARD = { payment_method: { id: 'pm_1', fingerprint: 'fp_1' }, customer: { email: 'a@example.com' } };

/** By the clock of the customer. */
const HOURLY: RetryPolicy = {
  ...builtInPolicy,
  timezone: 'America/New_York',
  preferred_hours: { from: 9, to: 17 },
  quiet_hours: { from: 20, to: 9 },
  max_days: 25,
};

const failureBy = ({ oneOf }: Dice): Failure => ({ ...oneOf(answersOf(BRAND)).failure, card_brand: BRAND });
/** Seldom it retries by itself, and gives up. */
const ofThePsp = (world: ActWorld, { chance }: Dice): object => {
  if (chance(0.85)) return {};
  return { psp_retries: chance(0.5) ? { next_at: plus(world.context().now, DAY) } : {} };
};
/** Told after what happened later. */
const late = (world: ActWorld, { chance }: Dice): object =>
  chance(0.8) ? {} : { failed_at: plus(world.context().now, -2 * DAY) };
const outcomeBy = (dice: Dice): ChargeOutcome =>
  dice.chance(0.2)
    ? { status: 'unknown', reason: 'timeout' }
    : dice.chance(0.05)
      ? { status: 'succeeded', reference: 'ch' }
      : { status: 'declined', failure: failureBy(dice) };

/** The merchant changes the rules. */
const addRule = async (world: ActWorld, dice: Dice, n: number): Promise<void> => {
  const actions = dice.oneOf([
    { delay_minutes: 90 },
    { policy: { max_retries: 9 } },
    { template: 'other_method' as const },
    { channel: 'none' as const },
    { escalate: { reason: 'look at it' } },
  ]);
  const rule = aRule(n, { conditions: { attempt: { at_least: 1 + dice.below(3) } }, actions });
  const context = { ...world.context(), commandId: deriveId('rule', String(n)) };
  await handle(world.store, rulesDecider, rulesStream(ORG), { type: 'AddRule', data: { rule } }, context);
};

/** The card, by what of its names a report tells. */
const aboutCard = ({ oneOf }: Dice) => {
  const { id, fingerprint } = CARD.payment_method;
  return { payment_method: oneOf([{ id, fingerprint }, { id, fingerprint }, { id }, { fingerprint }]) };
};

/** Another payment of the card is declined. */
const elsewhere = async (world: ActWorld, dice: Dice, n: number): Promise<void> => {
  const charge = { amount: 4900, currency: 'EUR', brand: BRAND, initiator: 'merchant' } as const;
  const retry = dice.chance(0.05) ? 'never' : 'allowed';
  const data = { triggerId: `x${n}`, charge, verdict: { retry }, at: world.context().now } as const;
  const context = { ...world.context(), commandId: deriveId('elsewhere', String(n)) };
  const names = namesOf(ORG, { gateway: 'sandbox', transaction_ref: 'other', ...aboutCard(dice) });
  await onCredential(world.store, names, { type: 'RecordExternalAttempt', data }, context);
};

/** No two questions for the time get the same answer. */
const ticking = (world: ActWorld) => ({
  now: (): Date => {
    world.advance(1);
    return new Date(world.context().now);
  },
});

const happen = async (world: ActWorld, dice: Dice, n: number): Promise<void> => {
  const what = dice.below(20);
  if (what < 2)
    return world.fail(failureBy(dice), {
      ...ofThePsp(world, dice),
      ...late(world, dice),
      ...aboutCard(dice),
    });
  if (what < 4) return addRule(world, dice, n);
  if (what < 8) return elsewhere(world, dice, n);
  if (what === 8 && dice.chance(0.2)) return world.pay();
  if (what === 9) return void (await world.checkout().catch(() => undefined));
  world.advance(dice.oneOf([MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 15 * DAY]));
  const dies = dice.chance(0.2) ? dice.below(4) : Infinity;
  let reached = 0;
  const faults = (): void => {
    if (reached++ >= dies) throw new Error('killed');
  };
  await world.run({ faults, clock: ticking(world) }).catch(() => undefined);
};

const historyOf = async (seed: number): Promise<ActWorld> => {
  const dice = diceOf(randomOf(seed));
  const outcomes = Array.from({ length: 20 }, () => outcomeBy(dice));
  const psp_retries = dice.oneOf(['watch', 'take_over'] as const);
  const base = dice.chance(0.5) ? HOURLY : policy;
  const world = await actWorld(
    failureBy(dice),
    outcomes,
    { ...CARD, ...aboutCard(dice) },
    { ...base, psp_retries },
  );
  for (let n = 1; n <= 40; n++) await happen(world, dice, n);
  return world;
};

describe('every decision of a long random history', () => {
  it('is taken again from the log alone, to the byte', async () => {
    const again: Record<string, number> = {};
    for (let seed = 1; seed <= 150; seed++) {
      const world = await historyOf(seed);
      for (const decision of decisionsIn(await world.events())) {
        const decided = await decideAgain(world.store, ORG, PAYMENT_ID, decision);
        if (decided === undefined) continue;
        expect(JSON.stringify(decided), `history ${seed}`).to.equal(JSON.stringify(decision.events));
        for (const { type } of decided) again[type] = (again[type] ?? 0) + 1;
      }
    }
    expect(again).to.include.keys(
      ...['RecoveryStarted', 'RetryScheduled', 'NotificationScheduled', 'RetryDeclined', 'RetryDropped'],
      ...['PspRetriesFound', 'PspRetriesStopped'],
      ...[
        'FurtherFailureRecorded',
        'NotificationDropped',
        'NotificationSent',
        'RecoveryExhausted',
        'GracePeriodStarted',
      ],
    );
    expect(again.RetryScheduled).to.be.greaterThan(100);
  }).timeout(120_000);
});
