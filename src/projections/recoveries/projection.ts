import type { FactOf } from '../../events/envelope.js';
import {
  dropsRetry,
  type RecoveryEvent,
  recoveryStream,
  takesPlace,
  type TimedClassification,
} from '../../events/recovery.js';
import type { PspRetryMode } from '../../events/organization.js';
import type { Draft, Projection } from '../engine/projection.js';
import { type Changes, foldOf, instant, keyOfStream, occurredAt } from '../fold.js';
import { escalationChanges } from './escalations.js';
import { moved } from './moved.js';
import { quietUntil } from './pending.js';
import { nextActionOf, type RecoveryRow, type RecoveryStatus } from './row.js';
import {
  dropAttempts,
  dropNotifications,
  scheduledAttempt,
  scheduledNotification,
  withAttempt,
  withNotification,
} from './steps.js';

type Of<T extends RecoveryEvent['type']> = FactOf<Extract<RecoveryEvent, { type: T }>>;

const closed = (
  row: Draft<RecoveryRow>,
  event: FactOf<RecoveryEvent>,
  change: Partial<RecoveryRow> & { status: Exclude<RecoveryStatus, 'active'>; closed_at: string },
): RecoveryRow =>
  moved(row, event, {
    ...change,
    attempts: dropAttempts(row.attempts),
    notifications: dropNotifications(row.notifications),
  });

const ownerOf = (mode: PspRetryMode | undefined): RecoveryRow['psp_retries'] =>
  mode === undefined ? null : mode === 'watch' ? 'watched' : 'to_stop';

const started = (event: Of<'RecoveryStarted'>, key: string): RecoveryRow => {
  const { data } = event;
  const blank: RecoveryRow = {
    key,
    org_id: event.metadata.org_id,
    payment_id: data.payment_id,
    transaction_ref: data.transaction_ref,
    gateway: data.gateway,
    status: 'active',
    category: data.category,
    hardness: data.hardness,
    retry: data.retry,
    amount: data.cohort.amount,
    currency: data.cohort.currency,
    recovered_amount: null,
    source: null,
    double_payment: false,
    opened_at: instant(data.cohort.opened_at),
    closed_at: null,
    expires_at: instant(data.expires_at),
    close_reason: null,
    policy_version: data.policy_version,
    attempts: [],
    notifications: [],
    psp_retries: ownerOf(data.psp_retries),
    psp_retries_since: data.psp_retries === undefined ? null : instant(data.cohort.opened_at),
    psp_retries_check_at: null,
    escalations: [],
    escalated: false,
    next_action: null,
    link_opened_at: null,
    checkouts: 0,
    checkout_opened_at: null,
    quiet_until: null,
    grace_until: null,
    last_event_at: occurredAt(event),
    revision: 0,
    position: 0,
  };
  return moved(blank, event, {});
};

/** A later, milder failure does not lift a ban, and one that is told too late replaces nothing unless it bans. */
const reclassified = (
  row: RecoveryRow,
  next: TimedClassification,
): Pick<RecoveryRow, 'category' | 'hardness' | 'retry'> => {
  const { category, hardness, retry } = takesPlace(row.retry, next) ? next : row;
  return { category, hardness, retry };
};

const attemptChanges: Changes<RecoveryRow, RecoveryEvent> = {
  FurtherFailureRecorded: (row, event) => {
    const scheduled = row.attempts.find(({ status }) => status === 'scheduled')?.scheduled_at;
    const dropped = scheduled && dropsRetry(event.data, scheduled);
    const attempts = dropped ? dropAttempts(row.attempts) : row.attempts;
    const psp_retries = event.data.psp_gave_up === true ? 'gave_up' : row.psp_retries;
    return moved(row, event, { ...reclassified(row, event.data), psp_retries, attempts });
  },
  RetryScheduled: (row, event) =>
    moved(row, event, {
      attempts: scheduledAttempt(row.attempts, event.data.attempt, instant(event.data.at)),
      grace_until: null,
    }),
  RetryDropped: (row, event) => moved(row, event, { attempts: dropAttempts(row.attempts) }),
  PspRetriesFound: (row, event) => {
    const { mode, found_at } = event.data;
    const attempts = dropAttempts(row.attempts);
    return moved(row, event, { psp_retries: ownerOf(mode), psp_retries_since: instant(found_at), attempts });
  },
  PspRetriesUndecided: (row, event) =>
    moved(row, event, { psp_retries_check_at: instant(event.data.check_at) }),
  PspRetriesStopped: (row, event) =>
    moved(row, event, { psp_retries: 'stopped', psp_retries_check_at: null }),
  PspRetriesLeft: (row, event) => moved(row, event, { psp_retries: 'watched', psp_retries_check_at: null }),
  PspRetriesEnded: (row, event) => moved(row, event, { psp_retries: 'gave_up' }),
  RetryStarted: (row, event) =>
    moved(row, event, {
      attempts: withAttempt(row.attempts, event.data.attempt, () => ({
        status: 'started',
        started_at: instant(event.data.started_at),
      })),
    }),
  RetrySucceeded: (row, event) =>
    moved(row, event, {
      attempts: withAttempt(row.attempts, event.data.attempt, () => ({
        status: 'succeeded',
        settled_at: occurredAt(event),
        check_at: null,
        reference: event.data.reference,
      })),
    }),
  RetryDeclined: (row, event) => {
    const { category } = event.data;
    const { message: _freeText, ...failure } = event.data.failure;
    const attempts = withAttempt(row.attempts, event.data.attempt, () => ({
      status: 'declined',
      settled_at: occurredAt(event),
      check_at: null,
      failure,
      category,
    }));
    return moved(row, event, { ...reclassified(row, event.data), attempts });
  },
  RetryOutcomeUnknown: (row, event) =>
    moved(row, event, {
      attempts: withAttempt(row.attempts, event.data.attempt, (attempt) => ({
        status: 'unknown',
        unknown_outcomes: attempt.unknown_outcomes + 1,
        check_at: instant(event.data.check_at),
      })),
    }),
  RetryUnresolved: (row, event) =>
    moved(row, event, {
      attempts: withAttempt(row.attempts, event.data.attempt, () => ({
        status: 'unknown',
        settled_at: occurredAt(event),
        check_at: null,
      })),
    }),
};

const customerChanges: Changes<RecoveryRow, RecoveryEvent> = {
  NotificationScheduled: (row, event) =>
    moved(row, event, {
      notifications: scheduledNotification(row.notifications, {
        ...event.data,
        at: instant(event.data.at),
      }),
      grace_until: null,
    }),
  NotificationDropped: (row, event) =>
    moved(row, event, {
      notifications: withNotification(row.notifications, event.data.step, { status: 'dropped' }),
    }),
  NotificationStarted: (row, event) =>
    moved(row, event, {
      notifications: withNotification(row.notifications, event.data.step, {
        status: 'started',
        started_at: instant(event.data.started_at),
        message_id: event.data.message_id,
      }),
    }),
  NotificationSent: (row, event) =>
    moved(row, event, {
      notifications: withNotification(row.notifications, event.data.step, {
        status: 'sent',
        sent_at: instant(event.data.sent_at),
        message_id: event.data.message_id,
      }),
    }),
  NotificationFailed: (row, event) => {
    const { step, permanent, retry_at } = event.data;
    const at = retry_at === undefined ? {} : { at: instant(retry_at) };
    return moved(row, event, {
      notifications: withNotification(
        row.notifications,
        step,
        permanent || row.status !== 'active' ? { status: 'failed' } : { status: 'scheduled', ...at },
      ),
    });
  },
  RecoveryLinkOpened: (row, event) =>
    moved(row, event, { link_opened_at: row.link_opened_at ?? instant(event.data.link_opened_at) }),
  CheckoutOpened: (row, event) =>
    moved(row, event, {
      checkouts: row.checkouts + 1,
      checkout_opened_at: instant(event.data.checkout_opened_at),
      quiet_until: quietUntil(event.data.checkout_opened_at),
    }),
  CheckoutUndecided: (row, event) => moved(row, event, { quiet_until: instant(event.data.check_at) }),
  GracePeriodStarted: (row, event) => moved(row, event, { grace_until: instant(event.data.until) }),
};

const endings: Changes<RecoveryRow, RecoveryEvent> = {
  DoublePaymentSuspected: (row, event) => moved(row, event, { double_payment: true }),
  /** Also after it was given up: money that came in is a recovery. */
  RecoverySucceeded: (row, event) =>
    closed(row, event, {
      status: 'succeeded',
      closed_at: instant(event.data.succeeded_at),
      close_reason: null,
      source: event.data.source,
      recovered_amount: event.data.amount,
    }),
  RecoveryExhausted: (row, event) =>
    closed(row, event, {
      status: 'exhausted',
      closed_at: occurredAt(event),
      close_reason: event.data.reason,
    }),
  RecoveryExpired: (row, event) =>
    closed(row, event, { status: 'expired', closed_at: instant(event.data.expired_at) }),
  RecoveryCancelled: (row, event) =>
    closed(row, event, {
      status: 'cancelled',
      closed_at: occurredAt(event),
      close_reason: event.data.reason,
    }),
};

/** Recoveries by id, each folded from its own stream alone, so that the same fold answers as-of questions. */
export const recoveries: Projection<RecoveryRow> = {
  version: 8,
  table: {
    name: 'recoveries',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      payment_id: 'uuid',
      transaction_ref: 'text',
      gateway: 'text',
      status: 'text',
      category: 'text',
      hardness: 'text',
      retry: 'text',
      amount: 'bigint',
      currency: 'text',
      recovered_amount: 'bigint',
      source: 'text',
      double_payment: 'boolean',
      opened_at: 'timestamptz',
      closed_at: 'timestamptz',
      expires_at: 'timestamptz',
      close_reason: 'text',
      policy_version: 'integer',
      attempts: 'jsonb',
      notifications: 'jsonb',
      psp_retries: 'text',
      psp_retries_since: 'timestamptz',
      psp_retries_check_at: 'timestamptz',
      escalations: 'jsonb',
      escalated: 'boolean',
      next_action: 'jsonb',
      link_opened_at: 'timestamptz',
      checkouts: 'integer',
      checkout_opened_at: 'timestamptz',
      quiet_until: 'timestamptz',
      grace_until: 'timestamptz',
      last_event_at: 'timestamptz',
      revision: 'bigint',
      position: 'bigint',
    },
    indexes: [
      ['org_id', 'opened_at', 'key'],
      ['org_id', 'status', 'opened_at', 'key'],
      ['org_id', 'escalated', 'opened_at', 'key'],
      ['org_id', 'transaction_ref'],
    ],
  },
  derive: (row) => {
    row.next_action = nextActionOf(row);
  },
  keysOf: keyOfStream,
  streamOf: recoveryStream,
  ...foldOf<RecoveryRow, RecoveryEvent>(
    { RecoveryStarted: (event, key, row) => row ?? started(event, key) },
    { ...attemptChanges, ...customerChanges, ...escalationChanges, ...endings },
  ),
};
