import {
  CHECKOUT_QUIET,
  type Classification,
  dropsRetry,
  type RecoveryEvent,
  SETTLE_AFTER,
  takesPlace,
  type TimedClassification,
} from '../../events/recovery.js';
import type { PspRetryMode } from '../../events/organization.js';
import { type Instant, latest, plus } from '../../kernel/clock.js';
import { evolveEscalation } from './alerts.js';
import { isUrgent, mailPlans } from './mailPlans.js';
import type { ClosedStatus, KnownRecovery, Recovery, RecoveryCase } from './state.js';

type DataOf<T extends RecoveryEvent['type']> = Extract<RecoveryEvent, { type: T }>['data'];

const classificationOf = ({
  category,
  hardness,
  retry,
  earliest_at,
  evidence,
}: Classification): Classification => ({
  category,
  hardness,
  retry,
  ...(earliest_at !== undefined && { earliest_at }),
  evidence,
});

/** Of two waits that networks ask for, the longer holds. */
const stricter = (known: Classification, next: TimedClassification): Classification => {
  const takes = takesPlace(known.retry, next);
  if (!takes && next.older === true) return known;
  const holds = takes ? classificationOf(next) : known;
  const earliest_at = latest(known.earliest_at, next.earliest_at);
  return { ...holds, ...(earliest_at !== undefined && { earliest_at }) };
};

/** An urgent plan begins when its category comes up, after the mails that are out or on their way. */
const withMails = <T extends RecoveryCase>(known: T): T => {
  const plan = mailPlans[known.classification.category];
  if (!isUrgent(plan) || plan === known.urgentMails) return known;
  const { notification, steps } = known;
  const stepsBefore = notification?.messageId === undefined ? steps : notification.step;
  return { ...known, urgentMails: plan, stepsBefore };
};

const reclassified = (known: KnownRecovery, next: TimedClassification): KnownRecovery =>
  withMails({ ...known, classification: stricter(known.classification, next) });

const ownershipOf = (mode: PspRetryMode, at: Instant): Pick<RecoveryCase, 'pspRetries' | 'pspStop'> =>
  mode === 'watch' ? { pspRetries: 'watched' } : { pspRetries: 'to_stop', pspStop: { at, checks: 0 } };

const started = (data: DataOf<'RecoveryStarted'>): Recovery =>
  withMails({
    status: 'active' as const,
    cohort: data.cohort,
    paymentId: data.payment_id,
    transactionRef: data.transaction_ref,
    classification: classificationOf(data),
    policy: data.policy,
    channels: data.channels,
    expiresAt: data.expires_at,
    triggers: { id: data.trigger_id, before: undefined },
    chargeable: data.chargeable ?? true,
    payable: data.payable ?? true,
    ...(data.psp_retries && ownershipOf(data.psp_retries, data.cohort.opened_at)),
    escalated: [],
    alerts: [],
    attempts: 0,
    refused: 0,
    steps: 0,
    stepsBefore: 0,
    mailsSent: 0,
    undeliverable: false,
    linkOpened: false,
  });

const without = <T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> => {
  const rest: Partial<T> = {};
  for (const key in value) if (!keys.includes(key as never)) rest[key] = value[key];
  return rest as Omit<T, K>;
};

/** Over, a recovery has nothing scheduled any more; a charge or mail under way still gets its outcome. */
const closedAs = (known: KnownRecovery, status: ClosedStatus): Recovery => {
  const { notification } = known;
  const rest = without(known, 'scheduled', 'notification', 'graceUntil');
  return { ...rest, ...(notification?.messageId !== undefined && { notification }), status } as Recovery;
};

/** The mail that could not be delivered is sent to the other address: the plan goes back to it. */
const deliverable = (known: KnownRecovery): KnownRecovery => ({
  ...known,
  undeliverable: false,
  stepsBefore: Math.min(known.stepsBefore + 1, known.steps),
});

const evolveRetry = (
  known: KnownRecovery,
  event: Extract<RecoveryEvent, { type: `Retry${string}` | 'FurtherFailureRecorded' }>,
): Recovery => {
  switch (event.type) {
    case 'FurtherFailureRecorded': {
      const { trigger_id: id, chargeable = true, payable = true, psp_gave_up } = event.data;
      const { channels = known.channels, address_changed } = event.data;
      const triggers = { id, before: known.triggers };
      const pspRetries = psp_gave_up === true ? 'gave_up' : known.pspRetries;
      const reached = address_changed === true ? deliverable(known) : known;
      const next = {
        ...reclassified(without(reached, 'waited') as KnownRecovery, event.data),
        ...{ triggers, chargeable, payable, channels },
        ...(pspRetries && { pspRetries }),
      };
      const dropped = next.scheduled !== undefined && dropsRetry(event.data, next.scheduled.at);
      return dropped ? (without(next, 'scheduled') as Recovery) : next;
    }
    case 'RetryScheduled': {
      const { attempt, at } = event.data;
      const { category } = known.classification;
      return { ...without(known, 'graceUntil'), scheduled: { attempt, at, category } } as Recovery;
    }
    case 'RetryDropped': {
      const { attempt, due } = event.data;
      return { ...without(known, 'scheduled'), ...(due && { waited: attempt }) } as Recovery;
    }
    case 'RetryStarted': {
      const { attempt, idempotency_key: idempotencyKey, started_at: startedAt } = event.data;
      const { charged, credential_id: credentialId } = event.data;
      const checkAt = plus(startedAt, SETTLE_AFTER);
      const open = {
        ...{ attempt, idempotencyKey, startedAt, checks: 0, checkAt },
        ...(charged && { charged }),
        ...(credentialId !== undefined && { credentialId }),
      };
      return { ...without(known, 'scheduled'), attempts: attempt, open } as Recovery;
    }
    case 'RetryOutcomeUnknown':
      return known.open === undefined
        ? known
        : { ...known, open: { ...known.open, checks: event.data.check, checkAt: event.data.check_at } };
    case 'RetrySucceeded':
    case 'RetryUnresolved':
      return without(known, 'open') as Recovery;
    case 'RetryDeclined': {
      const { trigger_id: id, category } = event.data;
      const settled = without(reclassified(known, event.data), 'open');
      const refused = known.refused + (category === 'merchant_config' ? 1 : 0);
      const triggers = id === undefined ? known.triggers : { id, before: known.triggers };
      const answeredAt = category === 'network_error' ? undefined : known.open?.startedAt;
      return { ...settled, refused, triggers, ...(answeredAt && { answeredAt }) } as Recovery;
    }
    default:
      return event satisfies never;
  }
};

const evolveNotification = (
  known: KnownRecovery,
  event: Extract<RecoveryEvent, { type: `Notification${string}` }>,
): Recovery => {
  switch (event.type) {
    case 'NotificationScheduled': {
      const { step, template, at } = event.data;
      const failures = known.notification?.step === step ? known.notification.failures : 0;
      const planned = { ...known, notification: { step, template, at, failures } };
      return without(planned, 'graceUntil') as Recovery;
    }
    case 'NotificationDropped': {
      const stepsBefore = Math.min(known.stepsBefore, known.steps);
      return { ...without(known, 'notification'), stepsBefore } as Recovery;
    }
    case 'NotificationStarted':
      return known.notification === undefined
        ? known
        : {
            ...known,
            notification: {
              ...known.notification,
              messageId: event.data.message_id,
              at: plus(event.data.started_at, SETTLE_AFTER),
            },
          };
    case 'NotificationSent':
      return {
        ...without(known, 'notification'),
        steps: event.data.step,
        mailsSent: known.mailsSent + 1,
      } as Recovery;
    case 'NotificationFailed': {
      const { permanent, step, retry_at } = event.data;
      if (permanent || known.notification === undefined || known.status !== 'active')
        return { ...without(known, 'notification'), steps: step, undeliverable: true } as Recovery;
      const { template, at, failures } = known.notification;
      return { ...known, notification: { step, template, at: retry_at ?? at, failures: failures + 1 } };
    }
    default:
      return event satisfies never;
  }
};

const evolveKnown = (
  known: KnownRecovery,
  event: Exclude<RecoveryEvent, { type: 'RecoveryStarted' }>,
): Recovery => {
  switch (event.type) {
    case 'RecoveryLinkOpened':
      return { ...known, linkOpened: true };
    case 'CheckoutOpened': {
      const { reference, checkout: count, checkout_opened_at: openedAt } = event.data;
      return { ...known, checkout: { reference, count, quietUntil: plus(openedAt, CHECKOUT_QUIET) } };
    }
    case 'CheckoutUndecided': {
      const { reference, check_at: quietUntil } = event.data;
      return known.checkout?.reference === reference
        ? { ...known, checkout: { ...known.checkout, quietUntil } }
        : known;
    }
    case 'RecoveryEscalated':
    case 'MerchantAlertStarted':
    case 'MerchantAlertSent':
    case 'MerchantAlertFailed':
    case 'MerchantAlertSkipped':
      return evolveEscalation(known, event);
    case 'PspRetriesFound': {
      const { mode, found_at: since } = event.data;
      return { ...(without(known, 'scheduled') as typeof known), ...ownershipOf(mode, since) };
    }
    case 'PspRetriesUndecided':
      return { ...known, pspStop: { at: event.data.check_at, checks: event.data.check } };
    case 'PspRetriesStopped':
      return { ...known, pspRetries: 'stopped' };
    case 'PspRetriesLeft':
      return { ...(without(known, 'scheduled') as typeof known), pspRetries: 'watched' };
    case 'PspRetriesEnded':
      return { ...known, pspRetries: 'gave_up' };
    case 'GracePeriodStarted':
      return { ...known, graceUntil: event.data.until };
    case 'RecoverySucceeded': {
      const { source, reference } = event.data;
      const paidBy = { source, ...(reference !== undefined && { reference }) };
      return { ...closedAs(known, 'succeeded'), paidBy } as Recovery;
    }
    case 'DoublePaymentSuspected':
      return known;
    case 'RecoveryExhausted':
      return closedAs(known, 'exhausted');
    case 'RecoveryExpired':
      return closedAs(known, 'expired');
    case 'RecoveryCancelled':
      return closedAs(known, 'cancelled');
    case 'NotificationScheduled':
    case 'NotificationStarted':
    case 'NotificationSent':
    case 'NotificationDropped':
    case 'NotificationFailed':
      return evolveNotification(known, event);
    default:
      return evolveRetry(known, event);
  }
};

export const evolve = (recovery: Recovery, event: RecoveryEvent): Recovery => {
  if (event.type === 'RecoveryStarted') return recovery.status === 'none' ? started(event.data) : recovery;
  return recovery.status === 'none' ? recovery : evolveKnown(recovery, event);
};
