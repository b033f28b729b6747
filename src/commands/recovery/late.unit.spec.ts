import { expect } from 'chai';
import { actWorld, ActWorld, LedgerPsp, ORG } from '../../../test/support/actWorld.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { aRule } from '../../../test/support/ruleSamples.js';
import type { RetryPolicy } from '../../events/organization.js';
import { type RuleActions, rulesStream } from '../../events/rules.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import { namesOf, onCredential } from '../credential/attempts.js';
import { handle } from '../handle.js';
import { builtInPolicy } from '../organization/builtInPolicy.js';
import { rulesDecider } from '../rules/decide.js';
import { rulesReader } from '../rules/reader.js';

const CARD = { payment_method: { id: 'pm_1', fingerprint: 'fp_1' } };
const SHORT = { decline_code: 'insufficient_funds', card_brand: 'amex' };
const EXPIRED = { decline_code: 'expired_card' };
const { payday_days: _, ...policy } = builtInPolicy;

/** The instant at which the newest retry is planned. */
const planned = async (world: ActWorld): Promise<string> =>
  (await world.recovery()).flatMap(({ type, data }) => (type === 'RetryScheduled' ? [data.at] : [])).at(-1) ??
  'never';
const because = async (world: ActWorld): Promise<readonly string[]> =>
  (await world.recovery())
    .flatMap(({ type, data }) => (type === 'RetryScheduled' ? [data.explanation.because ?? []] : []))
    .at(-1) ?? [];
const until = (world: ActWorld, at: string): void =>
  world.advance(Date.parse(at) - Date.parse(world.context().now));

/** Another payment of the card is declined, and its network wants a pause. */
const pausedUntil = (world: ActWorld, earliest_at: string) => {
  const charge = { amount: 990, currency: 'EUR', brand: 'amex', initiator: 'merchant' } as const;
  const verdict = { retry: 'allowed', earliest_at } as const;
  const data = { triggerId: 'other', charge, verdict, at: world.context().now };
  const context = { ...world.context(), commandId: deriveId('elsewhere') };
  const card = namesOf(ORG, { gateway: 'sandbox', transaction_ref: 'other', ...CARD });
  return onCredential(world.store, card, { type: 'RecordExternalAttempt', data }, context);
};

describe('a charge that cannot be made when its time has come', () => {
  it('is made as soon as the card may be charged: it has waited already', async () => {
    const world = await actWorld(SHORT, [], CARD, policy);
    until(world, await planned(world));
    const free = plus(world.context().now, 40 * MINUTE);
    await pausedUntil(world, free);
    await world.run();
    expect(await planned(world)).to.equal(free);
    expect((await because(world))[0]).to.equal('its wait before attempt 1 is over');
    until(world, free);
    await world.run();
    expect(world.psp.asked).to.include('charge');
  });

  it('is made at the next opening of the scheme', async () => {
    const world = await actWorld({ ...SHORT, card_brand: 'upi' }, [], CARD, policy);
    until(world, await planned(world));
    world.advance(DAY - (Date.parse(world.context().now) % DAY) + 5 * HOUR); // 10:30 in India: closed
    await world.run();
    expect((await planned(world)).slice(11, 13)).to.be.oneOf(['07', '08']);
    expect(Date.parse(await planned(world)) - Date.parse(world.context().now)).to.be.below(4 * HOUR);
    expect(world.psp.asked).to.not.include('charge');
  });

  it('waits anew for a failure that came meanwhile', async () => {
    const world = await actWorld(SHORT, [], CARD, policy);
    until(world, await planned(world));
    await pausedUntil(world, plus(world.context().now, 40 * MINUTE));
    await world.run();
    await world.fail(EXPIRED);
    await world.fail(SHORT);
    expect(Date.parse(await planned(world)) - Date.parse(world.context().now)).to.be.above(2 * DAY);
  });

  it('is not made later than the policy allows', async () => {
    const world = await actWorld(SHORT, [], CARD, { ...policy, max_days: 4 });
    until(world, await planned(world));
    world.advance(2 * DAY);
    await world.run();
    expect(world.psp.asked).to.not.include('charge');
    const dropped = (await world.recovery()).find(({ type }) => type === 'RetryDropped');
    expect((dropped?.data as { reason: string }).reason).to.equal(
      'the policy allows no attempt later than 4 days',
    );
    expect((await world.types()).filter((type) => type === 'RetryScheduled')).to.have.length(1);
  });

  it('is made at the hours that the policy prefers', async () => {
    const hours: RetryPolicy = { ...policy, timezone: 'UTC', preferred_hours: { from: 9, to: 17 } };
    const world = await actWorld(SHORT, [], CARD, hours);
    until(world, await planned(world));
    world.advance(DAY - (Date.parse(world.context().now) % DAY) + 3 * HOUR);
    await world.run();
    expect(world.psp.asked).to.not.include('charge');
    const next = await planned(world);
    expect(next.slice(0, 13)).to.equal(`${world.context().now.slice(0, 11)}09`);
    until(world, next);
    await world.run();
    expect(world.psp.asked).to.include('charge');
  });
});

describe('a charge that is put off again and again', () => {
  it('is made all the same: it comes at the beginning of the hours from then on', async () => {
    const hours: RetryPolicy = { ...policy, timezone: 'UTC', preferred_hours: { from: 9, to: 10 } };
    const world = await actWorld(SHORT, [], CARD, hours);
    until(world, await planned(world));
    world.advance(HOUR);
    await world.run();
    expect(world.psp.asked).to.not.include('charge');
    expect((await planned(world)).slice(11)).to.equal('09:00:00.000Z');
    until(world, await planned(world));
    world.advance(50 * MINUTE);
    await world.run();
    expect(world.psp.asked).to.include('charge');
  });
});

describe('just before a mail the rules are asked once more', () => {
  /** One mail is out and the second planned, when the merchant adds a rule; then its time comes. */
  const add = async (world: ActWorld, actions: RuleActions): Promise<void> => {
    const data = { rule: aRule(1, { actions }) };
    const context = { ...world.context(), commandId: deriveId('add') };
    await handle(world.store, rulesDecider, rulesStream(ORG), { type: 'AddRule', data }, context);
  };
  const withRule = async (actions: RuleActions): Promise<ActWorld> => {
    const world = await actWorld(EXPIRED, [], CARD, policy);
    await world.run();
    expect(world.mails).to.have.length(1);
    await add(world, actions);
    world.advance(3 * DAY + HOUR);
    await world.run();
    return world;
  };

  it('one that stops the recovery ends it without the mail', async () => {
    const world = await withRule({ stop: { reason: 'incident' } });
    expect(world.mails).to.have.length(1);
    expect((await world.types()).slice(-2)).to.deep.equal(['NotificationDropped', 'RecoveryExhausted']);
  });

  it('one that wants no mail takes it back', async () => {
    const world = await withRule({ channel: 'none' });
    expect(world.mails).to.have.length(1);
    expect(await world.types()).to.include('NotificationDropped');
  });

  it('one that chooses the template is heeded, at the time that was planned', async () => {
    const world = await withRule({ template: 'other_method' });
    expect(world.mails.map(({ template }) => template)).to.deep.equal(['update_card', 'other_method']);
    const [anew] = (await world.recovery()).flatMap(({ type, data }) =>
      type === 'NotificationScheduled' && data.at === plus(T0, 3 * DAY + HOUR) ? [data] : [],
    );
    expect(anew?.explanation?.because?.[0]).to.contain('chooses the template');
  });

  it('one that is gone chooses no template any more', async () => {
    const world = new ActWorld(new LedgerPsp(), CARD, policy);
    await add(world, { template: 'other_method' });
    await world.fail(EXPIRED);
    await world.run();
    const data = { ruleId: aRule(1).id };
    const context = { ...world.context(), commandId: deriveId('remove') };
    await handle(world.store, rulesDecider, rulesStream(ORG), { type: 'RemoveRule', data }, context);
    world.advance(3 * DAY);
    await world.run();
    expect(world.mails.map(({ template }) => template)).to.deep.equal(['other_method', 'update_card']);
  });

  it('also where the server put the mail off', async () => {
    const world = await actWorld(EXPIRED, [], CARD, policy);
    const later = { status: 'failed', permanent: false, reason: 'greylisted' } as const;
    await world.run({ sendMail: () => Promise.resolve(later) });
    expect((await world.types()).at(-1)).to.equal('NotificationFailed');
    await add(world, { stop: { reason: 'incident' } });
    world.advance(2 * HOUR);
    await world.run();
    expect(world.mails).to.have.length(0);
    expect((await world.types()).slice(-2)).to.deep.equal(['NotificationDropped', 'RecoveryExhausted']);
  });

  it('and one that was put off and dropped leaves its place to the next', async () => {
    const next_at = plus(T0, 20 * DAY);
    const world = await actWorld(SHORT, [], { ...CARD, psp_retries: { next_at } }, policy);
    world.advance(DAY);
    const later = { status: 'failed', permanent: false, reason: 'greylisted' } as const;
    const sendMail = async () => {
      await world.fail(EXPIRED);
      return later;
    };
    await world.run({ sendMail });
    await world.fail({ decline_code: 'duplicate_transaction' });
    expect(await world.types()).to.include('NotificationDropped');
    await world.fail(EXPIRED);
    world.advance(HOUR);
    await world.run();
    expect(world.mails.map(({ template }) => template)).to.deep.equal(['update_card']);
  });

  it('and one that fails while the recovery ends is not tried again', async () => {
    const world = await actWorld(EXPIRED, [], CARD, policy);
    const sendMail = async () => {
      await world.pay();
      return { status: 'failed', permanent: false, reason: 'greylisted' } as const;
    };
    await world.run({ sendMail });
    const failed = (await world.recovery()).find(({ type }) => type === 'NotificationFailed');
    expect(failed?.data).to.include({ permanent: true });
    world.advance(DAY);
    const before = await world.types();
    await world.run();
    expect(await world.types()).to.deep.equal(before);
  });

  it('and it goes to the address that was told while the other one refused it', async () => {
    const world = await actWorld(EXPIRED, [], CARD, policy);
    const sendMail = async () => {
      await world.failed(EXPIRED, { customer: { email: 'lovelace@example.com' } });
      return { status: 'failed', permanent: true, reason: '550' } as const;
    };
    await world.run({ sendMail });
    world.advance(HOUR);
    await world.run();
    expect(world.mails.map(({ to, template }) => [to.address, template])).to.deep.equal([
      ['lovelace@example.com', 'update_card'],
    ]);
  });

  it('and what goes out is what was planned last, though it was while the mail was prepared', async () => {
    const world = await actWorld(SHORT, [], CARD, policy);
    world.advance(DAY);
    const rulesOf = rulesReader(world.store);
    let asked = 0;
    await world.run({
      rulesOf: async (org) => {
        if (asked++ === 0) await world.fail(EXPIRED);
        return rulesOf(org);
      },
    });
    expect(world.mails.map(({ template }) => template)).to.deep.equal(['update_card']);
  });
});
