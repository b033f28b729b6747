/** Whatever an organization sets up, as far as it is taken in, its cards are charged within the networks' limits. */
import { expect } from 'chai';
import fc from 'fast-check';
import { policy as plain, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import { aRule } from '../../../test/support/ruleSamples.js';
import type { RetryPolicy } from '../../events/organization.js';
import { categories } from '../../events/recovery.js';
import type { Rule, RuleActions } from '../../events/rules.js';
import { HOUR, type Instant, isBefore, MINUTE } from '../../kernel/clock.js';
import { credentialDecider, isReserved } from '../credential/decide.js';
import { emptyLedger, type Ledger, limitsOf } from '../credential/ledger.js';

import { type Limit, limitsOn } from '../credential/networkLimits.js';
import { policyFaults } from '../organization/policyFaults.js';
import { ruleFaults } from '../rules/faults.js';
import { compileRules } from '../rules/match.js';
import { classify } from './classification/classify.js';
import type { RecoveryCommand } from './command.js';
import { recoveryDecider } from './decide.js';
import type { Guidance } from './guidance.js';
import { initialState, type Recovery } from './state.js';

const CASES = 4;
const limits = limitsOn(T0);
const brands = ['visa', 'mastercard', 'amex', 'upi', 'ach', 'unknown'] as const;
type Brand = (typeof brands)[number];

interface Configuration {
  readonly policy: RetryPolicy;
  readonly rules: readonly Rule[];
}
interface Charged {
  readonly at: number;
  readonly recovery: number;
}

const charge = (brand: Brand) => ({ amount: 4_900, currency: 'EUR', brand, initiator: 'merchant' }) as const;

/** Several debts of one amount on one card, each declined again and again. */
const play = ({ policy, rules }: Configuration, brand: Brand): Charged[] => {
  const set = compileRules(1, rules);
  const classification = classify({ decline_code: 'insufficient_funds' }, T0);
  const cases: Recovery[] = [];
  const charged: Charged[] = [];
  let ledger: Ledger = emptyLedger;
  const guidance = (): Guidance => ({
    ...unguided,
    rules: set,
    ledger,
    circumstances: { brand, metadata: {} },
  });
  const onCard = (command: Parameters<typeof credentialDecider.decide>[0]) => {
    ledger = credentialDecider.decide(command, ledger).reduce(credentialDecider.evolve, ledger);
  };
  const give = (index: number, command: RecoveryCommand) => {
    const state = cases[index] ?? initialState;
    cases[index] = recoveryDecider.decide(command, state).reduce(recoveryDecider.evolve, state);
  };
  const retry = (recovery: number, attempt: number, now: Instant): void => {
    const ref = { recoveryId: String(recovery), attempt };
    const asked = { ...ref, charge: charge(brand), limits, now };
    onCard({ type: 'ReserveAttempt', data: asked });
    if (!isReserved(ledger, asked))
      return give(recovery, { type: 'ForgoRetry', data: { attempt, guidance: guidance(), now } });
    charged.push({ at: Date.parse(now), recovery });
    const about = { idempotencyKey: 'k', charged: { references: {} }, credentialId: 'c', now };
    give(recovery, { type: 'StartRetry', data: { attempt, ...about } });
    const verdict = { retry: classification.retry };
    onCard({ type: 'SettleAttempt', data: { ...ref, outcome: 'declined', verdict, now } });
    const failure = { decline_code: 'insufficient_funds' };
    const outcome = { status: 'declined', failure, classification } as const;
    give(recovery, { type: 'SettleRetry', data: { attempt, outcome, guidance: guidance(), now } });
  };
  for (let index = 0; index < CASES; index++) {
    const start = startRecovery('insufficient_funds', { policy, classification, guidance: guidance() });
    give(index, { ...start, data: { ...start.data, paymentId: `payment-${index}` } });
  }
  for (let steps = 0; steps < 1_000; steps++) {
    const next = cases
      .flatMap((state, index) =>
        state.status === 'active' && state.scheduled ? [{ index, ...state.scheduled }] : [],
      )
      .sort((a, b) => (isBefore(a.at, b.at) ? -1 : 1))[0];
    if (next === undefined) return charged;
    retry(next.index, next.attempt, next.at);
  }
  throw new Error('the recoveries do not end');
};

const most = (times: readonly number[], { hours }: Limit): number =>
  Math.max(0, ...times.map((end) => times.filter((at) => at > end - hours * HOUR && at <= end).length));

const IST = 330;
const expectWithin = (charged: readonly Charged[], brand: Brand): void => {
  const times = charged.map(({ at }) => at);
  for (const limit of limitsOf(limits, brand))
    expect(most(times, limit), `${brand} ${limit.name}`).to.be.at.most(limit.max);
  for (let index = 0; index < CASES; index++)
    expect(charged.filter(({ recovery }) => recovery === index).length).to.be.at.most(limits.perCase);
  for (const at of times) {
    const minute = (at / MINUTE + IST) % 1_440;
    const open = limits.openHours[brand]?.open ?? [[0, 1_440]];
    expect(open.some(([from, to]) => minute >= from && minute < to)).to.equal(true);
  }
};

const loosest: Configuration = {
  policy: {
    ...plain,
    max_retries: 10,
    initial_delay_minutes: 1,
    backoff_multiplier: 1,
    max_delay_minutes: 1,
    max_days: 30,
    categories: { insufficient_funds: { max_retries: 10, waits_minutes: [1] } },
    psp_retries: 'take_over',
  },
  rules: [
    aRule(1, {
      actions: {
        policy: { max_retries: 10, initial_delay_minutes: 1, max_delay_minutes: 1 },
        delay_minutes: 1,
      },
    }),
  ],
};

const retries = fc.integer({ min: 0, max: 10 });
const minutes = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 43_200 }));
const hours = fc.record({ from: fc.integer({ min: 0, max: 23 }), to: fc.integer({ min: 0, max: 23 }) });
const own = fc.record(
  { max_retries: retries, waits_minutes: fc.array(minutes, { minLength: 1, maxLength: 10 }) },
  { requiredKeys: [] },
);
const policies = fc
  .record(
    {
      max_retries: retries,
      initial_delay_minutes: minutes,
      backoff_multiplier: fc.double({ min: 1, max: 10, noNaN: true }),
      max_delay_minutes: minutes,
      categories: fc.dictionary(fc.constantFrom(...categories), own, { maxKeys: 3, noNullPrototype: true }),
      max_days: fc.integer({ min: 1, max: 30 }),
      preferred_hours: hours,
      payday_days: fc.uniqueArray(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 8 }),
      timezone: fc.constantFrom('Asia/Kolkata', 'America/New_York', 'UTC'),
    },
    { requiredKeys: ['max_retries', 'initial_delay_minutes', 'backoff_multiplier', 'max_delay_minutes'] },
  )
  .map((values): RetryPolicy => ({ ...values, version: 1, enabled_channels: [] }));
const actions: fc.Arbitrary<RuleActions> = fc.record(
  {
    policy: fc.record({ max_retries: retries, initial_delay_minutes: minutes }),
    delay_minutes: minutes,
  },
  { requiredKeys: [] },
);

describe('no configuration', () => {
  for (const brand of brands)
    it(`goes beyond the limits of ${brand}, not the loosest there can be`, () => {
      expect(policyFaults(loosest.policy, T0)).to.deep.equal([]);
      expect(loosest.rules.flatMap(ruleFaults)).to.deep.equal([]);
      const charged = play(loosest, brand);
      expectWithin(charged, brand);
      const tightest = Math.min(...limitsOf(limits, brand).map(({ max }) => max), CASES * limits.perCase);
      expect(charged.length, 'it does try').to.be.at.least(tightest);
    });

  it('that is taken in goes beyond them', () => {
    const rules = fc
      .array(actions, { maxLength: 3 })
      .map((all) => all.map((one, n) => aRule(n, { actions: one })));
    let taken = 0;
    fc.assert(
      fc.property(policies, rules, fc.constantFrom(...brands), (policy, its, brand) => {
        if (policyFaults(policy, T0).length + its.flatMap(ruleFaults).length > 0) return;
        taken++;
        expectWithin(play({ policy, rules: its }, brand), brand);
      }),
      { numRuns: 600 },
    );
    expect(taken).to.be.at.least(50);
  });
});
