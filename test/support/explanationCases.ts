/** Telling decisions, one of a kind each; what was decided of them and why is in explanations.json. */
import { credentialDecider } from '../../src/commands/credential/decide.js';
import { builtInPolicy } from '../../src/commands/organization/builtInPolicy.js';
import { classify } from '../../src/commands/recovery/classification/classify.js';
import { evolve } from '../../src/commands/recovery/evolve.js';
import { recoveryDecider } from '../../src/commands/recovery/decide.js';
import type { Guidance } from '../../src/commands/recovery/guidance.js';
import { nextSteps } from '../../src/commands/recovery/plan.js';
import { initialState, type KnownRecovery } from '../../src/commands/recovery/state.js';
import { compileRules } from '../../src/commands/rules/match.js';
import { limitsOn } from '../../src/commands/credential/networkLimits.js';
import type { CredentialEvent } from '../../src/events/credential.js';
import type { RetryPolicy } from '../../src/events/organization.js';
import { categories, type RecoveryEvent } from '../../src/events/recovery.js';
import type { RuleActions } from '../../src/events/rules.js';
import { HOUR, plus } from '../../src/kernel/clock.js';
import type { Failure } from '../../src/kernel/ports.js';
import { aCharge, external } from './credentialSamples.js';
import { startRecovery } from './recoverySamples.js';
import { aRule } from './ruleSamples.js';

interface Case {
  readonly failure: Failure;
  readonly now?: string;
  readonly policy?: Partial<RetryPolicy>;
  readonly rule?: RuleActions;
  readonly past?: readonly CredentialEvent[];
  readonly about?: Partial<Guidance['circumstances']>;
  readonly known?: Partial<KnownRecovery>;
}

/** A Tuesday. */
const NOW = '2027-02-09T10:00:00.000Z';
const short: Failure = { decline_code: 'insufficient_funds' };
const attempts = (count: number, brand: string, retry: 'allowed' | 'never' = 'allowed'): CredentialEvent[] =>
  Array.from({ length: count }, (_, n) =>
    external(`t${n}`, plus(NOW, (n - count) * HOUR), { ...aCharge({ brand }), verdict: { retry } }),
  );

/** A code that each category is told by. */
const byCategory: Readonly<Record<(typeof categories)[number], Failure>> = {
  insufficient_funds: short,
  issuer_decline: { decline_code: 'do_not_honor' },
  velocity_limit: { decline_code: 'card_velocity_exceeded' },
  network_error: { decline_code: 'processing_error' },
  issuer_risk: { decline_code: 'security_violation' },
  authentication_required: { decline_code: 'authentication_required' },
  card_data_invalid: { decline_code: 'expired_card' },
  credential_changed: { decline_code: 'new_account_information_available' },
  account_invalid: { decline_code: 'invalid_account' },
  lost_stolen_fraud: { decline_code: 'stolen_card' },
  revoked: { decline_code: 'stop_payment_order' },
  not_permitted: { decline_code: 'card_not_supported' },
  merchant_config: { decline_code: 'testmode_decline' },
  psp_blocked: { decline_code: 'highest_risk_level' },
  duplicate: { decline_code: 'duplicate_transaction' },
  pending_unknown: { code: 'upi_pending' },
  customer_abandoned: { code: 'payment_cancelled' },
  unknown: { decline_code: 'a_code_of_next_year' },
};

const special: Readonly<Record<string, Case>> = {
  'a network asks to wait six days': {
    failure: { ...short, advice_code: '28', card_brand: 'mastercard' },
    about: { brand: 'mastercard' },
  },
  'a payday is near': { failure: short, now: '2027-02-11T10:00:00.000Z', about: { timezone: 'Asia/Tokyo' } },
  'a mail in quiet hours': {
    failure: { decline_code: 'expired_card' },
    now: '2027-02-09T23:30:00.000Z',
    about: { timezone: 'Europe/Berlin' },
  },
  'preferred hours': {
    failure: { decline_code: 'do_not_honor' },
    policy: { preferred_hours: { from: 17, to: 20 }, timezone: 'America/New_York' },
  },
  'a rule delays': { failure: short, rule: { delay_minutes: 14_400 } },
  'a rule skips retries': { failure: short, rule: { skip_retries: true } },
  'a rule ends it': { failure: short, rule: { stop: { reason: 'small amounts are written off' } } },
  'a rule escalates': { failure: short, rule: { escalate: { reason: 'a customer who matters' } } },
  'a rule chooses the template': {
    failure: byCategory.card_data_invalid,
    rule: { template: 'other_method' },
  },
  'a rule sets the policy': {
    failure: short,
    rule: { policy: { initial_delay_minutes: 60, max_retries: 1 } },
  },
  'a limit is reached': { failure: short, past: attempts(15, 'visa'), about: { brand: 'visa' } },
  'no payment is tried more often': {
    failure: short,
    policy: { max_retries: 10 },
    known: { attempts: 8 },
  },
  'another payment found the card stolen': { failure: short, past: attempts(1, 'visa', 'never') },
  'the PSP retries, and is watched': { failure: short, policy: { psp_retries: 'watch' } },
  'the PSP is to be told to stop': { failure: short, policy: { psp_retries: 'take_over' } },
  'a card of India': { failure: short, about: { brand: 'visa', country: 'IN' } },
  'UPI outside its hours': {
    failure: { decline_code: 'processing_error' },
    now: '2027-02-09T05:00:00.000Z',
    about: { brand: 'upi', country: 'IN' },
  },
  'UPI, charged where its hours and the preferred ones meet': {
    failure: { decline_code: 'do_not_honor' },
    policy: { preferred_hours: { from: 9, to: 12 } },
    now: '2027-02-09T07:30:00.000Z',
    about: { brand: 'upi', country: 'IN', timezone: 'Asia/Kolkata' },
  },
  'UPI, with preferred hours that never meet its own': {
    failure: { decline_code: 'do_not_honor' },
    policy: { preferred_hours: { from: 10, to: 13 } },
    now: '2027-02-09T07:30:00.000Z',
    about: { brand: 'upi', country: 'IN', timezone: 'Asia/Kolkata' },
  },
};

export const explanationCases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(categories.map((category) => [category, { failure: byCategory[category] }])),
  ...special,
};

const guidanceOf = ({ rule, past = [], about = {} }: Case, now: string): Guidance => ({
  rules: compileRules(rule ? 1 : 0, rule ? [aRule(1, { name: 'of ours', actions: rule })] : []),
  ledger: past.reduce(credentialDecider.evolve, credentialDecider.initialState),
  limits: limitsOn(now),
  circumstances: { brand: 'unknown', metadata: {}, ...about },
  readAt: { payment: 0, credential: past.length - 1 },
});

/** What the case leads to: every event after the first, and why nothing else. */
export const explained = (
  one: Case,
): { readonly events: readonly unknown[]; readonly otherwise: unknown } => {
  const { failure, now = NOW, policy, known } = one;
  const guidance = guidanceOf(one, now);
  const classification = classify({ card_brand: guidance.circumstances.brand, ...failure }, now);
  const start = startRecovery('do_not_honor', {
    ...{ classification, guidance, now, policy: { ...builtInPolicy, ...policy } },
    ...(policy?.psp_retries && { pspRetries: 'to_come' }),
  });
  const [begun] = recoveryDecider.decide(start, initialState) as [RecoveryEvent];
  const state = { ...(evolve(initialState, begun) as KnownRecovery), ...known };
  const { events, explanation } = nextSteps(state, now, guidance);
  const told = events.map(({ type, data: { cohort: _, ...data } }) => ({ type, ...data }));
  return { events: told, otherwise: explanation() };
};
