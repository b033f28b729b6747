import { expect } from 'chai';
import { actWorld, type ActWorld, ORG } from '../../../test/support/actWorld.js';
import { known, run, types, dataOf, failAgain } from '../../../test/support/recoveryCommands.js';
import { declined, policy, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import { aRule } from '../../../test/support/ruleSamples.js';
import { rulesStream } from '../../events/rules.js';
import type { PolicyChange, RuleActions } from '../../events/rules.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import { builtInPolicy } from '../organization/builtInPolicy.js';
import { handle } from '../handle.js';
import { rulesDecider } from '../rules/decide.js';
import { compileRules } from '../rules/match.js';
import { classify } from './classification/classify.js';
import type { Guidance } from './guidance.js';

const at = (ms: number): string => plus(T0, ms);
const start = (code: string, guidance: Guidance = unguided) =>
  startRecovery(code, { policy: builtInPolicy, guidance });
const ruled = (actions: RuleActions): Guidance => ({
  ...unguided,
  rules: compileRules(1, [aRule(1, { actions })]),
});
const inBerlin: Guidance = {
  ...unguided,
  circumstances: { ...unguided.circumstances, timezone: 'Europe/Berlin' },
};

describe('a retry that is planned', () => {
  const technical = run([start('processing_error')]);

  it('is planned anew for a failure of another kind', () => {
    const log = run([failAgain('t2', declined('insufficient_funds'), at(10 * MINUTE))], technical);
    expect(types(log).slice(-4)).to.deep.equal([
      'FurtherFailureRecorded',
      'RetryDropped',
      'RetryScheduled',
      'NotificationScheduled',
    ]);
    expect(Date.parse(dataOf(log, 'RetryScheduled')?.at ?? '') - Date.parse(T0)).to.be.above(2 * DAY);
  });

  it('stays for another one of its kind', () =>
    expect(
      types(run([failAgain('t2', declined('processing_error'), at(MINUTE))], technical)).at(-1),
    ).to.equal('FurtherFailureRecorded'));

  it('goes when a rule is against it by then, at whatever is decided next', () => {
    const again = failAgain('t2', declined('processing_error'), at(MINUTE));
    const data = { ...again.data, guidance: ruled({ skip_retries: true }) } as never;
    const log = run([{ type: 'RecordFurtherFailure', data }], technical);
    expect(dataOf(log, 'RetryDropped')?.reason).to.contain('skips retries');
    expect(known(log)).to.not.have.property('scheduled');
  });
});

describe('just before a charge', () => {
  const withRule = async (actions: RuleActions): Promise<ActWorld> => {
    const world = await actWorld({ decline_code: 'insufficient_funds' });
    const data = { rule: aRule(1, { actions }) };
    const context = { ...world.context(), commandId: deriveId('add') };
    await handle(world.store, rulesDecider, rulesStream(ORG), { type: 'AddRule', data }, context);
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    return world;
  };

  it('the rules are asked once more: one that skips retries is heeded', async () => {
    const world = await withRule({ skip_retries: true });
    const types = await world.types();
    expect(types).to.include('RetryDropped');
    expect(types.at(-1)).to.not.equal('RetryScheduled');
  });

  it('and one that stops the recovery ends it', async () => {
    const world = await withRule({ stop: { reason: 'incident' } });
    expect((await world.types()).at(-1)).to.equal('RecoveryExhausted');
  });
});

describe('the time of a retry', () => {
  const due = (failure: object, guidance = unguided): string => {
    const classification = classify(failure, T0);
    const command = startRecovery('', { classification, policy: builtInPolicy, guidance });
    return dataOf(run([command]), 'RetryScheduled')?.at ?? 'none';
  };

  it("is the network's where it says one, in place of the wait that is listed", () => {
    expect(due({ decline_code: 'insufficient_funds', advice_code: '24' })).to.equal(at(HOUR));
    expect(due({ decline_code: 'insufficient_funds', advice_code: '30' })).to.equal(at(10 * DAY));
  });

  it('comes no sooner than a day after a limit of the card was reached', () =>
    expect(Date.parse(due({ decline_code: 'card_velocity_exceeded' }))).to.be.at.least(Date.parse(at(DAY))));

  it('is none for a card of India, told by its country or its network', () => {
    const india = { ...unguided, circumstances: { ...unguided.circumstances, country: 'IN' } };
    expect(due({ decline_code: 'insufficient_funds' }, india)).to.equal('none');
    const rupay = { ...unguided, circumstances: { ...unguided.circumstances, brand: 'rupay' } };
    expect(due({ decline_code: 'insufficient_funds' }, rupay)).to.equal('none');
  });

  it('waits for a payday, but for no longer than a week in all', () => {
    const since = (day: string): string => {
      const now = `${day}T10:00:00.000Z`;
      const classification = classify({ decline_code: 'insufficient_funds' }, now);
      const waits = { ...builtInPolicy, categories: { insufficient_funds: { waits_minutes: [5 * 1440] } } };
      const command = startRecovery('', { classification, policy: waits, guidance: unguided, now });
      return (dataOf(run([command]), 'RetryScheduled')?.at ?? '').slice(0, 10);
    };
    expect(since('2026-03-09')).to.equal('2026-03-15');
    expect(since('2026-03-06')).to.be.oneOf(['2026-03-10', '2026-03-11']);
  });
});

describe("a wait under a rule's policy", () => {
  const DAYS = 1_440;
  const first = (policy: PolicyChange, code = 'insufficient_funds'): string | undefined => {
    const classification = classify({ decline_code: code }, T0);
    const { payday_days: _, categories, ...own } = builtInPolicy;
    const listed = { insufficient_funds: categories?.insufficient_funds ?? {} };
    const settings = { classification, policy: { ...own, categories: listed }, guidance: ruled({ policy }) };
    return dataOf(run([startRecovery('', settings)]), 'RetryScheduled')?.explanation?.because?.[0];
  };

  it("is the rule's where it sets the first one, and says so", () =>
    expect(first({ initial_delay_minutes: 2 * DAYS })).to.equal(
      'waits 2 days before attempt 1, as the rule "Wait for payday" sets it',
    ));

  it('stays as listed for the category where the rule sets a multiplier only', () =>
    expect(first({ backoff_multiplier: 1 })).to.equal(
      'waits 3 days before attempt 1, as set for insufficient funds',
    ));

  it('is no longer than the rule allows, also where it is listed', () => {
    const capped = 'waits 2 days before attempt 1, as the rule "Wait for payday" sets it';
    expect(first({ max_delay_minutes: 2 * DAYS })).to.equal(capped);
    expect(first({ max_delay_minutes: 5 * DAYS })).to.equal(
      'waits 3 days before attempt 1, as set for insufficient funds',
    );
  });

  it('is told as cut short where the policy has a shorter longest one', () => {
    const late = { initial_delay_minutes: 30 * DAYS };
    expect(first(late)).to.equal(
      'waits 7 days before attempt 1, the longest that the policy allows: the rule "Wait for payday" sets 30 days',
    );
    expect(first({ ...late, initial_delay_minutes: 20 * DAYS, max_delay_minutes: 30 * DAYS })).to.equal(
      'waits 20 days before attempt 1, as the rule "Wait for payday" sets it',
    );
  });

  it("is the policy's own where the rule changes nothing of it", () => {
    expect(first({ max_retries: 2, backoff_multiplier: 5 }, 'do_not_honor')).to.equal(
      'waits a day before attempt 1',
    );
  });
});

describe('a mail', () => {
  const NIGHT = '2026-03-01T21:30:00.000Z'; // 22:30 in Berlin
  const MORNING = '2026-03-02T07:00:00.000Z';
  const planned = run([start('expired_card', inBerlin)]);
  const begin = (now: string, guidance: Guidance) =>
    ({ type: 'StartNotification', data: { step: 1, messageId: '<1>', guidance, now } }) as const;

  it('that comes late does not go in the quiet hours: it is put off until the morning', () => {
    const log = run([begin(NIGHT, inBerlin)], planned);
    expect(dataOf(log, 'NotificationScheduled')).to.include({ step: 1, at: MORNING });
    expect(types(log)).to.not.include('NotificationStarted');
    expect(types(run([begin(MORNING, inBerlin)], log)).at(-1)).to.equal('NotificationStarted');
  });

  it('that the server put off is not tried again in the quiet hours', () => {
    const outcome = { status: 'failed', permanent: false, reason: '451' } as const;
    const evening = '2026-03-01T19:58:00.000Z';
    const settle = {
      type: 'SettleNotification',
      data: { step: 1, outcome, guidance: inBerlin, now: evening },
    } as const;
    const log = run([begin(evening, inBerlin), settle], planned);
    expect(dataOf(log, 'NotificationFailed')).to.include({ permanent: false, retry_at: MORNING });
  });

  it('goes at once where the clock of the customer is not known', () =>
    expect(types(run([begin(NIGHT, unguided)], planned)).at(-1)).to.equal('NotificationStarted'));

  it('that is planned is taken back by a rule that wants none', () => {
    const soft = run([start('insufficient_funds')]);
    const again = failAgain('t2', declined('insufficient_funds'), at(MINUTE));
    const data = { ...again.data, guidance: ruled({ channel: 'none' }) } as never;
    const log = run([{ type: 'RecordFurtherFailure', data }], soft);
    expect(dataOf(log, 'NotificationDropped')?.reason).to.contain('wants no mail');
  });
});

describe('a decision to wait', () => {
  it('is explained where it begins', () => {
    const [begun, ...more] = run([startRecovery('upi_pending')]);
    expect(more).to.deep.equal([]);
    expect(begun?.data).to.have.nested.property('explanation.chosen', 'wait');
    expect(begun?.data).to.have.nested.property('explanation.rejected').with.length(2);
  });

  it('counts the retries that category and rules leave, not those of the policy alone', () => {
    const log = run([start('do_not_honor')]);
    expect(dataOf(log, 'RetryScheduled')?.explanation.counters).to.include({ max_retries: 3 });
    const two = run([start('do_not_honor', ruled({ policy: { max_retries: 2 } }))]);
    expect(dataOf(two, 'RetryScheduled')?.explanation.counters).to.include({ max_retries: 2 });
    const plain = run([startRecovery('do_not_honor', { policy: { ...policy, max_retries: 10 } })]);
    expect(dataOf(plain, 'RetryScheduled')?.explanation.counters).to.include({ max_retries: 8 });
  });
});
