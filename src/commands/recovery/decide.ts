import type { Classification, RecoveryEvent } from '../../events/recovery.js';
import type { RetryPolicy } from '../../events/organization.js';
import type { SuccessSource } from '../../events/payment.js';
import { HOUR, type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import type { Message } from '../../kernel/message.js';
import type { Failure, MailOutcome } from '../../kernel/ports.js';
import { customerIsPaying } from './due.js';
import { nextSteps } from './plan.js';
import { evolve, initialState, type KnownRecovery, type Recovery, RECOVERY_LIFETIME } from './state.js';

export type Settlement =
  | { readonly status: 'succeeded'; readonly reference: string }
  | { readonly status: 'declined'; readonly failure: Failure; readonly classification: Classification }
  | { readonly status: 'unknown'; readonly reason: string };

export type RecoveryCommand =
  | Message<
      'StartRecovery',
      {
        readonly paymentId: string;
        readonly transactionRef: string;
        readonly gateway: string;
        readonly triggerId: string;
        readonly amount: number;
        readonly currency: string;
        readonly classification: Classification;
        readonly policy: RetryPolicy;
        readonly channels: readonly 'email'[];
        readonly now: Instant;
      }
    >
  | Message<
      'RecordFurtherFailure',
      { readonly triggerId: string; readonly classification: Classification; readonly now: Instant }
    >
  | Message<
      'StartRetry',
      { readonly attempt: number; readonly idempotencyKey: string; readonly now: Instant }
    >
  | Message<'SettleRetry', { readonly attempt: number; readonly outcome: Settlement; readonly now: Instant }>
  | Message<'StartNotification', { readonly step: number; readonly messageId: string; readonly now: Instant }>
  | Message<
      'SettleNotification',
      { readonly step: number; readonly outcome: MailOutcome; readonly now: Instant }
    >
  | Message<'OpenLink', { readonly now: Instant }>
  | Message<
      'OpenCheckout',
      /** `previous`: the checkout that was closed for this one. */
      { readonly reference: string; readonly previous?: string | undefined; readonly now: Instant }
    >
  | Message<'AwaitCheckout', { readonly reference: string; readonly reason: string; readonly now: Instant }>
  | Message<
      'SucceedRecovery',
      {
        readonly amount: number;
        readonly currency: string;
        readonly source: SuccessSource;
        /** What the PSP or the merchant calls the payment. */
        readonly reference?: string;
        readonly now: Instant;
      }
    >
  | Message<'CloseRecovery', { readonly now: Instant }>
  | Message<'CancelRecovery', { readonly reason: string; readonly by: string }>;

type CommandOf<T extends RecoveryCommand['type']> = Extract<RecoveryCommand, { type: T }>['data'];

const MAIL_TRIES = 6;
/** Minutes between two questions for an outcome that stays unknown, at most. */
const LONGEST_CHECK = 360;
/** Between two questions for a checkout that is not decided. */
const CHECKOUT_CHECK = 6 * HOUR;

/** The events given, and what follows from them while the recovery is active. */
const andNext = (known: KnownRecovery, events: RecoveryEvent[], now: Instant): RecoveryEvent[] => {
  const after = events.reduce<Recovery>(evolve, known);
  return after.status === 'active' ? [...events, ...nextSteps(after, now)] : events;
};

const start = (data: CommandOf<'StartRecovery'>, recovery: Recovery): RecoveryEvent[] => {
  if (recovery.status !== 'none')
    return recordFurtherFailure(
      { triggerId: data.triggerId, classification: data.classification, now: data.now },
      recovery,
    );
  const { now, policy } = data;
  const begun: RecoveryEvent = {
    type: 'RecoveryStarted',
    data: {
      payment_id: data.paymentId,
      transaction_ref: data.transactionRef,
      gateway: data.gateway,
      trigger_id: data.triggerId,
      ...data.classification,
      policy_version: policy.version,
      policy,
      channels: [...data.channels],
      expires_at: plus(now, RECOVERY_LIFETIME),
      cohort: { opened_at: now, amount: data.amount, currency: data.currency },
    },
  };
  const state = evolve(initialState, begun);
  return state.status === 'active' ? [begun, ...nextSteps(state, now)] : [begun];
};

const recordFurtherFailure = (
  { triggerId, classification, now }: CommandOf<'RecordFurtherFailure'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.triggers.has(triggerId)) return [];
  const data = { trigger_id: triggerId, ...classification, cohort: known.cohort };
  return andNext(known, [{ type: 'FurtherFailureRecorded', data }], now);
};

const startRetry = (
  { attempt, idempotencyKey, now }: CommandOf<'StartRetry'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.open !== undefined || known.scheduled?.attempt !== attempt)
    return [];
  if (isBefore(now, known.scheduled.at) || customerIsPaying(known, now)) return [];
  const data = { attempt, idempotency_key: idempotencyKey, started_at: now, cohort: known.cohort };
  return [{ type: 'RetryStarted', data }];
};

const succeeded = (
  known: KnownRecovery,
  { amount, currency, source, now }: CommandOf<'SucceedRecovery'>,
): RecoveryEvent[] =>
  known.status === 'succeeded'
    ? []
    : [
        {
          type: 'RecoverySucceeded',
          data: {
            payment_id: known.paymentId,
            amount,
            currency,
            source,
            succeeded_at: now,
            previous_status: known.status,
            cohort: known.cohort,
          },
        },
      ];

const settleRetry = (
  { attempt, outcome, now }: CommandOf<'SettleRetry'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.open?.attempt !== attempt) return [];
  const { cohort } = known;
  switch (outcome.status) {
    case 'succeeded': {
      const { amount, currency } = cohort;
      const settled: RecoveryEvent = {
        type: 'RetrySucceeded',
        data: { attempt, reference: outcome.reference, cohort },
      };
      return [settled, ...succeeded(known, { amount, currency, source: 'our_retry', now })];
    }
    case 'declined': {
      const data = { attempt, failure: { ...outcome.failure }, ...outcome.classification, cohort };
      return andNext(known, [{ type: 'RetryDeclined', data }], now);
    }
    case 'unknown': {
      const check = known.open.checks + 1;
      const check_at = plus(now, Math.min(2 ** (check - 1), LONGEST_CHECK) * MINUTE);
      return [
        { type: 'RetryOutcomeUnknown', data: { attempt, reason: outcome.reason, check, check_at, cohort } },
      ];
    }
    default:
      return outcome satisfies never;
  }
};

const startNotification = (
  { step, messageId, now }: CommandOf<'StartNotification'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { notification } = known;
  if (known.status !== 'active' || notification?.step !== step) return [];
  if (isBefore(now, notification.at) || customerIsPaying(known, now)) return [];
  const data = { step, message_id: messageId, started_at: now, cohort: known.cohort };
  return [{ type: 'NotificationStarted', data }];
};

const settleNotification = (
  { step, outcome, now }: CommandOf<'SettleNotification'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { notification, cohort } = known;
  if (notification?.step !== step || notification.messageId === undefined) return [];
  if (outcome.status === 'sent') {
    const data = { step, message_id: notification.messageId, sent_at: now, cohort };
    return andNext(known, [{ type: 'NotificationSent', data }], now);
  }
  const tries = notification.failures + 1;
  const permanent = outcome.permanent || tries >= MAIL_TRIES;
  const retry = permanent ? {} : { retry_at: plus(now, 5 * 2 ** (tries - 1) * MINUTE) };
  const data = { step, permanent, reason: outcome.reason, ...retry, cohort };
  return andNext(known, [{ type: 'NotificationFailed', data }], now);
};

const openCheckout = (
  { reference, previous, now }: CommandOf<'OpenCheckout'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.checkout?.reference === reference && customerIsPaying(known, now)) return [];
  if (known.status !== 'active') throw new DomainError('recovery_closed', `The recovery is ${known.status}`);
  if (known.open !== undefined)
    throw new DomainError('attempt_in_flight', 'A charge of this payment is under way');
  if (known.checkout?.reference !== previous)
    throw new DomainError('version_conflict', 'Another checkout was opened at the same time');
  const checkout = (known.checkout?.count ?? 0) + 1;
  return [
    { type: 'CheckoutOpened', data: { reference, checkout, checkout_opened_at: now, cohort: known.cohort } },
  ];
};

/** Not beyond the recovery's end, which does not wait: money that comes later is taken all the same. */
const awaitCheckout = (
  { reference, reason, now }: CommandOf<'AwaitCheckout'>,
  { status, checkout, expiresAt, cohort }: KnownRecovery,
): RecoveryEvent[] =>
  status !== 'active' || checkout?.reference !== reference || !isBefore(now, expiresAt)
    ? []
    : [
        {
          type: 'CheckoutUndecided',
          data: { reference, reason, check_at: plus(now, CHECKOUT_CHECK), cohort },
        },
      ];

const close = ({ now }: CommandOf<'CloseRecovery'>, known: KnownRecovery): RecoveryEvent[] => {
  if (known.status !== 'active' || known.open !== undefined) return [];
  const { cohort, graceUntil, expiresAt } = known;
  if (graceUntil !== undefined && !isBefore(now, graceUntil))
    return [{ type: 'RecoveryExhausted', data: { reason: 'no_response', cohort } }];
  return isBefore(now, expiresAt) ? [] : [{ type: 'RecoveryExpired', data: { expired_at: now, cohort } }];
};

const cancel = ({ reason, by }: CommandOf<'CancelRecovery'>, known: KnownRecovery): RecoveryEvent[] => {
  if (known.status === 'cancelled') return [];
  if (known.status !== 'active')
    throw new DomainError('recovery_closed', `The recovery is already ${known.status}`);
  return [{ type: 'RecoveryCancelled', data: { reason, by, cohort: known.cohort } }];
};

const decideKnown = (
  command: Exclude<RecoveryCommand, { type: 'StartRecovery' }>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  switch (command.type) {
    case 'RecordFurtherFailure':
      return recordFurtherFailure(command.data, known);
    case 'StartRetry':
      return startRetry(command.data, known);
    case 'SettleRetry':
      return settleRetry(command.data, known);
    case 'StartNotification':
      return startNotification(command.data, known);
    case 'SettleNotification':
      return settleNotification(command.data, known);
    case 'OpenLink':
      return known.linkOpened
        ? []
        : [{ type: 'RecoveryLinkOpened', data: { link_opened_at: command.data.now, cohort: known.cohort } }];
    case 'OpenCheckout':
      return openCheckout(command.data, known);
    case 'AwaitCheckout':
      return awaitCheckout(command.data, known);
    case 'SucceedRecovery':
      return succeeded(known, command.data);
    case 'CloseRecovery':
      return close(command.data, known);
    case 'CancelRecovery':
      return cancel(command.data, known);
    default:
      return command satisfies never;
  }
};

export const recoveryDecider: Decider<Recovery, RecoveryCommand, RecoveryEvent> = {
  initialState,
  evolve,
  decide: (command, recovery) => {
    if (command.type === 'StartRecovery') return start(command.data, recovery);
    return recovery.status === 'none' ? [] : decideKnown(command, recovery);
  },
};
