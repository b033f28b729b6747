import { DAY, HOUR, type Instant, plus } from '../../kernel/clock.js';
import {
  CHECKOUT_QUIET,
  type Classification,
  type Cohort,
  type RecoveryEvent,
  SETTLE_AFTER,
} from '../../events/recovery.js';
import type { RetryPolicy } from '../../events/organization.js';

/** Stripe may forget an idempotency key after 24 h; from here on an unknown outcome is looked up, never asked again. */
export const KEY_LIFETIME = 23 * HOUR;
/** The longest a recovery runs, and the life of its link. */
export const RECOVERY_LIFETIME = 30 * DAY;
/** How long the customer may still pay by the last mail's link. */
export const GRACE_PERIOD = 7 * DAY;

/** An attempt whose intent is in the log and whose outcome is not. */
export interface OpenAttempt {
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly startedAt: Instant;
  readonly checks: number;
  /** When to ask what became of it. */
  readonly checkAt: Instant;
}

/** A mail that is due at `at`; with a message id its sending has been started. */
export interface PendingNotification {
  readonly step: number;
  readonly template: string;
  readonly at: Instant;
  readonly messageId?: string;
  readonly failures: number;
}

export interface RecoveryCase {
  readonly cohort: Cohort;
  readonly paymentId: string;
  readonly classification: Classification;
  readonly policy: RetryPolicy;
  readonly channels: readonly string[];
  readonly expiresAt: Instant;
  readonly triggers: ReadonlySet<string>;
  /** Attempts of ours whose intent was recorded. */
  readonly attempts: number;
  readonly scheduled?: { readonly attempt: number; readonly at: Instant };
  readonly open?: OpenAttempt;
  readonly notification?: PendingNotification;
  /** Mails that are out or were given up. */
  readonly steps: number;
  readonly mailsSent: number;
  readonly undeliverable: boolean;
  readonly linkOpened: boolean;
  readonly checkout?: {
    readonly reference: string;
    readonly count: number;
    /** Nothing is done beside the customer before then. */
    readonly quietUntil: Instant;
  };
  readonly graceUntil?: Instant;
}

export type ClosedStatus = 'succeeded' | 'exhausted' | 'expired' | 'cancelled';
export type Recovery =
  | { readonly status: 'none' }
  | (RecoveryCase & { readonly status: 'active' })
  | (RecoveryCase & { readonly status: ClosedStatus });
export type KnownRecovery = Exclude<Recovery, { status: 'none' }>;

export const initialState: Recovery = { status: 'none' };

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

const started = (data: DataOf<'RecoveryStarted'>): Recovery => ({
  status: 'active',
  cohort: data.cohort,
  paymentId: data.payment_id,
  classification: classificationOf(data),
  policy: data.policy,
  channels: data.channels,
  expiresAt: data.expires_at,
  triggers: new Set([data.trigger_id]),
  attempts: 0,
  steps: 0,
  mailsSent: 0,
  undeliverable: false,
  linkOpened: false,
});

const without = <T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as K))) as Omit<T, K>;

/** Over, a recovery has nothing scheduled any more; a charge or mail under way still gets its outcome. */
const closedAs = (known: KnownRecovery, status: ClosedStatus): Recovery => {
  const { notification } = known;
  const rest = without(known, 'scheduled', 'notification', 'graceUntil');
  return { ...rest, ...(notification?.messageId !== undefined && { notification }), status } as Recovery;
};

const evolveRetry = (
  known: KnownRecovery,
  event: Extract<RecoveryEvent, { type: `Retry${string}` | 'FurtherFailureRecorded' }>,
): Recovery => {
  switch (event.type) {
    case 'FurtherFailureRecorded': {
      const forbidden = known.classification.retry === 'never'; // a later, milder failure does not lift it
      const next = {
        ...known,
        classification: forbidden ? known.classification : classificationOf(event.data),
        triggers: new Set([...known.triggers, event.data.trigger_id]),
      };
      return event.data.retry === 'allowed' ? next : (without(next, 'scheduled') as Recovery);
    }
    case 'RetryScheduled':
      return { ...known, scheduled: { attempt: event.data.attempt, at: event.data.at } };
    case 'RetryStarted': {
      const { attempt, idempotency_key: idempotencyKey, started_at: startedAt } = event.data;
      const open = { attempt, idempotencyKey, startedAt, checks: 0, checkAt: plus(startedAt, SETTLE_AFTER) };
      return { ...without(known, 'scheduled'), attempts: attempt, open } as Recovery;
    }
    case 'RetryOutcomeUnknown':
      return known.open === undefined
        ? known
        : { ...known, open: { ...known.open, checks: event.data.check, checkAt: event.data.check_at } };
    case 'RetrySucceeded':
      return without(known, 'open') as Recovery;
    case 'RetryDeclined':
      return { ...without(known, 'open'), classification: classificationOf(event.data) } as Recovery;
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
      return { ...known, notification: { step, template, at, failures: 0 } };
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
    case 'NotificationFailed':
      return event.data.permanent || known.notification === undefined
        ? ({ ...without(known, 'notification'), steps: event.data.step, undeliverable: true } as Recovery)
        : {
            ...known,
            notification: {
              ...known.notification,
              at: event.data.retry_at ?? known.notification.at,
              failures: known.notification.failures + 1,
            },
          };
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
    case 'GracePeriodStarted':
      return { ...known, graceUntil: event.data.until };
    case 'RecoverySucceeded':
      return closedAs(known, 'succeeded');
    case 'RecoveryExhausted':
      return closedAs(known, 'exhausted');
    case 'RecoveryExpired':
      return closedAs(known, 'expired');
    case 'RecoveryCancelled':
      return closedAs(known, 'cancelled');
    case 'NotificationScheduled':
    case 'NotificationStarted':
    case 'NotificationSent':
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
