import type { Classification, RecoveryEvent } from '../../events/recovery.js';
import { type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import type { CommandOf } from './command.js';
import { evolve } from './evolve.js';
import { explainAlone } from './explain.js';
import type { Guidance } from './guidance.js';
import { nextSteps } from './plan.js';
import { type KnownRecovery, type OpenAttempt, OUTCOME_DEADLINE, type Recovery } from './state.js';

/** What the outcome of a charge or a payment leads to. */

/** Minutes between two questions for an answer that does not come, at most. */
const LONGEST_CHECK = 360;

/** Asked long enough for what became of a charge. */
export const isGivenUp = ({ startedAt }: OpenAttempt, now: Instant): boolean =>
  !isBefore(now, plus(startedAt, OUTCOME_DEADLINE));

/** When an answer that did not come is asked for again: after ever longer pauses. */
export const nextCheck = (now: Instant, check: number): Instant =>
  plus(now, Math.min(2 ** (check - 1), LONGEST_CHECK) * MINUTE);

/** Events that say what follows from them, where nothing follows that says it. */
export type Explained = Extract<
  RecoveryEvent,
  {
    type:
      | 'RecoveryStarted'
      | 'FurtherFailureRecorded'
      | 'RetryDeclined'
      | 'RetryDropped'
      | 'NotificationDropped'
      | 'NotificationSent'
      | 'NotificationFailed'
      | 'PspRetriesFound'
      | 'PspRetriesStopped'
      | 'PspRetriesLeft'
      | 'PspRetriesEnded';
  }
>;

/** The event, and what follows from it while the recovery is active: one of them says why. */
export const andNext = (
  known: Recovery,
  event: Explained,
  now: Instant,
  guidance: Guidance,
): RecoveryEvent[] => {
  const after = evolve(known, event);
  if (after.status !== 'active') return [event];
  const { events, explanation } = nextSteps(after, now, guidance);
  if (events.some(({ data }) => 'explanation' in data)) return [event, ...events];
  return [{ ...event, data: { ...event.data, explanation: explanation() } } as RecoveryEvent, ...events];
};

/** Told of a second payment: the same one by another word, or the customer paid twice. */
const paidAgain = (
  { paidBy, cohort }: KnownRecovery,
  { amount, currency, source, reference }: CommandOf<'SucceedRecovery'>,
): RecoveryEvent[] => {
  if (paidBy === undefined || paidBy.source === source || paidBy.reference === reference) return [];
  const references = [paidBy.reference, reference].filter((one) => one !== undefined);
  const sources = [paidBy.source, source];
  return [{ type: 'DoublePaymentSuspected', data: { references, sources, amount, currency, cohort } }];
};

export const succeeded = (known: KnownRecovery, success: CommandOf<'SucceedRecovery'>): RecoveryEvent[] => {
  if (known.status === 'succeeded') return paidAgain(known, success);
  const { amount, currency, source, reference, now } = success;
  return [
    {
      type: 'RecoverySucceeded',
      data: {
        payment_id: known.paymentId,
        amount,
        currency,
        source,
        succeeded_at: now,
        previous_status: known.status,
        ...(reference !== undefined && { reference }),
        cohort: known.cohort,
      },
    },
  ];
};

/** Asked long enough. What may have been charged is not charged again: the end. */
const unresolved = (known: KnownRecovery, attempt: number, reason: string): RecoveryEvent[] => {
  const { cohort } = known;
  const given: RecoveryEvent = { type: 'RetryUnresolved', data: { attempt, reason, cohort } };
  if (known.status !== 'active') return [given];
  const because = { candidate: 'retry', reason: 'what the PSP never told may have been charged' };
  const explanation = explainAlone(known, 'close', [because]);
  return [given, { type: 'RecoveryExhausted', data: { reason: 'outcome_unknown', explanation, cohort } }];
};

/** A failure that was told while the attempt was under way is newer than its answer: what it forbids stays forbidden. */
const heeding = ({ classification: known }: KnownRecovery, answer: Classification): Classification =>
  known.retry !== 'allowed' && answer.retry === 'allowed' ? known : answer;

export const settleRetry = (
  { attempt, outcome, triggerId, guidance, now }: CommandOf<'SettleRetry'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.open?.attempt !== attempt) return [];
  const { cohort } = known;
  switch (outcome.status) {
    case 'succeeded': {
      const { amount, currency } = cohort;
      const { reference } = outcome;
      const settled: RecoveryEvent = { type: 'RetrySucceeded', data: { attempt, reference, cohort } };
      return [settled, ...succeeded(known, { amount, currency, source: 'our_retry', reference, now })];
    }
    case 'declined': {
      const reported = triggerId === undefined ? {} : { trigger_id: triggerId };
      const failure = { ...outcome.failure };
      const classification = heeding(known, outcome.classification);
      const data = { attempt, failure, ...classification, ...reported, cohort };
      return andNext(known, { type: 'RetryDeclined', data }, now, guidance);
    }
    case 'unknown': {
      if (isGivenUp(known.open, now)) return unresolved(known, attempt, outcome.reason);
      const check = known.open.checks + 1;
      const check_at = nextCheck(now, check);
      return [
        { type: 'RetryOutcomeUnknown', data: { attempt, reason: outcome.reason, check, check_at, cohort } },
      ];
    }
    default:
      return outcome satisfies never;
  }
};
