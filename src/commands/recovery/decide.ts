import type { RecoveryEvent } from '../../events/recovery.js';
import { HOUR, isBefore, plus } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import { decideAlert } from './alerts.js';
import type { CommandOf, Means, RecoveryCommand } from './command.js';
import { customerIsPaying } from './due.js';
import { evolve } from './evolve.js';
import { failedMail } from './failedMail.js';
import { andNext, type Explained, settleRetry, succeeded } from './outcome.js';
import { explainAlone } from './explain.js';
import { heldBack, heldMail, mailAnew } from './plan.js';
import { afterQuiet } from './planMail.js';
import { andPspRetries, decidePspRetries, modeOf } from './pspRetries.js';
import { initialState, isKnown, type KnownRecovery, type Recovery, RECOVERY_LIFETIME } from './state.js';

/** Between two questions for a checkout that is not decided. */
const CHECKOUT_CHECK = 6 * HOUR;

/** Only what is missing is written down. */
const lacking = ({ chargeable, payable }: Means): { chargeable?: false; payable?: false } => ({
  ...(!chargeable && { chargeable }),
  ...(!payable && { payable }),
});

const start = (data: CommandOf<'StartRecovery'>, recovery: Recovery): RecoveryEvent[] => {
  if (recovery.status !== 'none') return recordFurtherFailure(data, recovery);
  const { now, policy, pspRetries } = data;
  const begun: Explained = {
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
      ...(pspRetries && { psp_retries: modeOf(policy) }),
      ...lacking(data.means),
      cohort: { opened_at: now, amount: data.amount, currency: data.currency },
    },
  };
  return andPspRetries(initialState, begun, data);
};

/** Told after what the recovery knows of the issuer by now, and happened before it. */
const isOlder = (
  { failedAt, overtaken = false }: CommandOf<'RecordFurtherFailure'>,
  { answeredAt }: KnownRecovery,
): boolean => overtaken || (answeredAt !== undefined && isBefore(failedAt, answeredAt));

/** Only what changes is written down: channels that the policy does not want stay shut. */
const reachedBy = (
  { channels, addressChanged = false }: CommandOf<'RecordFurtherFailure'>,
  { policy, channels: before, undeliverable }: KnownRecovery,
): { channels?: 'email'[]; address_changed?: true } => {
  const open = channels.filter((channel) => policy.enabled_channels.includes(channel));
  const more = open.some((channel) => !before.includes(channel));
  return {
    ...(more && { channels: open }),
    ...(undeliverable && addressChanged && { address_changed: addressChanged }),
  };
};

const recordFurtherFailure = (
  told: CommandOf<'RecordFurtherFailure'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { triggerId, classification, means, pspRetries } = told;
  if (known.status !== 'active' || isKnown(known.triggers, triggerId)) return [];
  const older = isOlder(told, known);
  const over = pspRetries === 'over' && known.pspRetries === 'watched';
  const data = {
    trigger_id: triggerId,
    ...classification,
    ...(older && { older }),
    ...reachedBy(told, known),
    ...(over && { psp_gave_up: over }),
    ...lacking(means),
    cohort: known.cohort,
  };
  return andPspRetries(known, { type: 'FurtherFailureRecorded', data }, told);
};

const forgoRetry = (
  { attempt, guidance, now }: CommandOf<'ForgoRetry'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.scheduled?.attempt !== attempt) return [];
  const reason = heldBack(known, now, guidance) ?? 'the limits of the payment method do not allow it now';
  const { cohort } = known;
  return andNext(
    known,
    { type: 'RetryDropped', data: { attempt, reason, due: true, cohort } },
    now,
    guidance,
  );
};

const startRetry = (
  { attempt, idempotencyKey, charged, credentialId, now }: CommandOf<'StartRetry'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  if (known.status !== 'active' || known.open !== undefined || known.scheduled?.attempt !== attempt)
    return [];
  if (isBefore(now, known.scheduled.at) || customerIsPaying(known, now)) return [];
  const { cohort } = known;
  const data = {
    attempt,
    idempotency_key: idempotencyKey,
    started_at: now,
    charged,
    credential_id: credentialId,
    cohort,
  };
  return [{ type: 'RetryStarted', data }];
};

const startNotification = (
  { step, messageId, guidance, now }: CommandOf<'StartNotification'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { notification } = known;
  if (known.status !== 'active' || notification?.step !== step) return [];
  if (isBefore(now, notification.at) || customerIsPaying(known, now)) return [];
  const { cohort } = known;
  if (notification.messageId === undefined) {
    const reason = heldMail(known, now, guidance);
    if (reason !== undefined)
      return andNext(known, { type: 'NotificationDropped', data: { step, reason, cohort } }, now, guidance);
    const anew = mailAnew(known, notification, now, guidance);
    if (anew !== undefined) return [anew];
  }
  const data = { step, message_id: messageId, started_at: now, cohort };
  return [{ type: 'NotificationStarted', data }];
};

const settleNotification = (
  { step, outcome, guidance, now }: CommandOf<'SettleNotification'>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { notification, cohort } = known;
  if (notification?.step !== step || notification.messageId === undefined) return [];
  if (outcome.status === 'sent') {
    const data = { step, message_id: notification.messageId, sent_at: now, cohort };
    return andNext(known, { type: 'NotificationSent', data }, now, guidance);
  }
  const permanent = outcome.permanent || known.status !== 'active';
  const { retry_at, ...failed } = failedMail({ ...outcome, permanent }, notification.failures, now);
  const later = retry_at && { retry_at: afterQuiet(known, guidance.circumstances, retry_at) };
  const data = { step, ...failed, ...later, cohort };
  return andNext(known, { type: 'NotificationFailed', data }, now, guidance);
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
  const ended = (reason: string) =>
    explainAlone(
      known,
      'close',
      ['retry', 'notify', 'wait'].map((candidate) => ({ candidate, reason })),
    );
  if (graceUntil !== undefined && !isBefore(now, graceUntil))
    return [
      {
        type: 'RecoveryExhausted',
        data: { reason: 'no_response', explanation: ended('the customer did not pay in time'), cohort },
      },
    ];
  if (isBefore(now, expiresAt)) return [];
  const explanation = ended("the recovery's time is over");
  return [{ type: 'RecoveryExpired', data: { expired_at: now, explanation, cohort } }];
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
    case 'ForgoRetry':
      return forgoRetry(command.data, known);
    case 'FindPspRetries':
    case 'EndPspRetries':
    case 'StopPspRetries':
    case 'AwaitPspRetries':
      return decidePspRetries(command, known);
    case 'StartRetry':
      return startRetry(command.data, known);
    case 'SettleRetry':
      return settleRetry(command.data, known);
    case 'StartNotification':
      return startNotification(command.data, known);
    case 'SettleNotification':
      return settleNotification(command.data, known);
    case 'StartAlert':
    case 'SettleAlert':
    case 'SkipAlert':
      return decideAlert(command, known);
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
