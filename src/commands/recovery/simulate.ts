import type { CredentialEvent } from '../../events/credential.js';
import type { EventStore } from '../../events/eventStore.js';
import { paymentStream } from '../../events/payment.js';
import type { Classification, RecoveryEvent } from '../../events/recovery.js';
import { type Instant, plus } from '../../kernel/clock.js';
import { type OrgId, paymentIdOf, type RecoveryId, recoveryIdOf } from '../../kernel/ids.js';
import type { Debt } from '../../kernel/ports.js';
import { attemptsOn, namesOf } from '../credential/attempts.js';
import { credentialDecider, type RecordExternalAttempt, type Verdict } from '../credential/decide.js';
import type { Charge, Ledger } from '../credential/ledger.js';
import { limitsOn } from '../credential/networkLimits.js';
import { absent, load } from '../handle.js';
import { retryPolicyOf } from '../organization/commands.js';
import { debtOf } from '../payment/debt.js';
import { paymentDecider } from '../payment/decide.js';
import {
  evolve as evolvePayment,
  type FailedData,
  failureBy,
  initialState as initialPayment,
  type Payment,
  pspRetriesOf,
} from '../payment/state.js';
import type { RuleSet } from '../rules/match.js';
import { type RuleSimulation, simulateRules } from '../rules/simulate.js';
import { classify } from './classification/classify.js';
import { tablesInForceOn } from './classification/tables.js';
import type { CommandOf, Means } from './command.js';
import { recoveryDecider } from './decide.js';
import { type Guidance, ruleFactsOf } from './guidance.js';
import { type NextSteps, nextSteps } from './plan.js';
import { guidanceOf } from './readGuidance.js';
import { externalAttemptOf } from './slot.js';
import { initialState, type KnownRecovery } from './state.js';

export interface SimulationSources {
  readonly store: EventStore;
  readonly meansOf: (debt: Debt) => Promise<Means>;
}

/** A failure that did not happen, and where its recovery would stand. */
export interface Supposed {
  readonly failed: FailedData;
  /** The organization's own, or others to try. */
  readonly rules: RuleSet;
  /** Number of the retry that comes next: the ones before it are taken as declined. */
  readonly attempt: number;
  readonly openedAt: Instant;
  readonly now: Instant;
}

export interface Simulation {
  readonly begun: Extract<RecoveryEvent, { type: 'RecoveryStarted' }>['data'];
  readonly rules: RuleSimulation;
  readonly limitsVersion: number;
  readonly steps: NextSteps;
}

/** The recovery as it would stand when the decision is taken. */
const supposedCase = (
  data: CommandOf<'StartRecovery'>,
  { attempt, openedAt }: Supposed,
): { readonly begun: Simulation['begun']; readonly known: KnownRecovery } => {
  const command = { type: 'StartRecovery', data: { ...data, now: openedAt } } as const;
  const [begun] = recoveryDecider.decide(command, initialState);
  if (begun?.type !== 'RecoveryStarted') throw new Error('a failure that is new starts a recovery');
  const state = recoveryDecider.evolve(initialState, begun);
  if (state.status === 'none') throw new Error('a recovery that began is known');
  return { begun: begun.data, known: { ...state, attempts: attempt - 1 } };
};

/** Retries before the next one: declined as the payment was, at even distances since the recovery began. */
const supposedRetries = (
  recoveryId: RecoveryId,
  charge: Charge,
  verdict: Verdict,
  { attempt: next, openedAt, now }: Supposed,
): CredentialEvent[] => {
  const distance = (Date.parse(now) - Date.parse(openedAt)) / (next - 1);
  const limits_version = limitsOn(now).version;
  return Array.from({ length: next - 1 }, (_, index): CredentialEvent[] => {
    const attempt = index + 1;
    const at = plus(openedAt, Math.round(attempt * distance));
    const ref = { recovery_id: recoveryId, attempt };
    return [
      { type: 'AttemptReserved', data: { ...ref, ...charge, limits_version, reserved_at: at } },
      { type: 'AttemptSettled', data: { ...ref, outcome: 'declined', verdict, settled_at: at } },
    ];
  }).flat();
};

/** The attempts on the card as they would be: those of the payment itself are the supposed ones. */
const supposedLedger = (
  ledger: Ledger,
  known: Payment,
  recoveryId: RecoveryId,
  failure: RecordExternalAttempt,
  supposed: Supposed,
): Ledger => {
  const isOwn = (id: string) => failureBy(known, id) !== undefined || id.startsWith(`${recoveryId}:`);
  const others = { ...ledger, entries: ledger.entries.filter(({ id }) => !isOwn(id)) };
  const { charge, verdict } = failure.data;
  const retries = supposedRetries(recoveryId, { ...charge, initiator: 'merchant' }, verdict, supposed);
  return [...credentialDecider.decide(failure, others), ...retries].reduce(credentialDecider.evolve, others);
};

/** Everything the decision heeds, as it would be once the failure was taken in. Nothing is appended. */
const supposedGuidance = async (
  store: EventStore,
  orgId: OrgId,
  payment: Payment,
  classification: Classification,
  supposed: Supposed,
): Promise<Guidance> => {
  const { failed, rules, now } = supposed;
  const paymentId = paymentIdOf(orgId, failed.transaction_ref);
  const [attempts, { state: known }] = await Promise.all([
    attemptsOn(store, namesOf(orgId, failed)),
    load(store, paymentDecider, paymentStream(paymentId)),
  ]);
  const failure = externalAttemptOf(failed, classification);
  const { ledger } = attempts;
  const state = supposedLedger(ledger.state, known, recoveryIdOf(paymentId), failure, supposed);
  const loaded = { ...absent(paymentDecider), state: payment };
  return guidanceOf(loaded, rules, { ...attempts, ledger: { ...ledger, state } }, now);
};

/**
 * What would be decided about a failure: by the decider of real ones, from the organization's policy, the attempts on
 * the payment method and the limits in force.
 */
export const simulateFailure = async (
  { store, meansOf }: SimulationSources,
  orgId: OrgId,
  supposed: Supposed,
): Promise<Simulation> => {
  const { failed, rules, now } = supposed;
  const { transaction_ref: transactionRef, trigger_id: triggerId, gateway, amount, currency } = failed;
  const paymentId = paymentIdOf(orgId, transactionRef);
  const payment = evolvePayment(initialPayment, { type: 'PaymentFailed', data: failed });
  const classification = classify(failed.failure, failed.failed_at, tablesInForceOn(now));
  const debt = debtOf(orgId, paymentId, payment);
  const [policy, guidance, means] = await Promise.all([
    retryPolicyOf(store, orgId),
    supposedGuidance(store, orgId, payment, classification, supposed),
    debt === undefined ? { chargeable: true, payable: true } : meansOf(debt),
  ]);
  const what = {
    paymentId,
    transactionRef,
    gateway,
    triggerId,
    failedAt: failed.failed_at,
    amount,
    currency,
    classification,
  };
  const channels = policy.enabled_channels;
  const pspRetries = pspRetriesOf(payment);
  const start = { ...what, policy, means, channels, ...(pspRetries && { pspRetries }), guidance, now };
  const { begun, known } = supposedCase(start, supposed);
  return {
    begun,
    rules: simulateRules(rules, ruleFactsOf(guidance.circumstances, known, now)),
    limitsVersion: guidance.limits.version,
    steps: nextSteps(known, now, guidance),
  };
};
