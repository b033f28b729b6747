import type { FactOf } from '../../events/envelope.js';
import {
  dropsRetry,
  type RecoveryEvent,
  recoveryStream,
  type TimedClassification,
} from '../../events/recovery.js';
import type { PspRetryMode } from '../../events/organization.js';
import type { Projection } from '../engine/projection.js';
import { type Changes, foldOf, instant, keyOfStream } from '../fold.js';
import {
  type ActionKind,
  closedPending,
  nextOf,
  type Pending,
  quietUntil,
  settleAt,
  settling,
} from '../recoveries/pending.js';

export type TimerRow = Readonly<{
  /** The recovery's id. */
  key: string;
  org_id: string;
  /** The earliest instant at which the recovery wants to be looked at. */
  due_at: string;
  kind: ActionKind;
  /** The log position of the last event folded. */
  position: number;
  pending: Pending;
}>;

type Event = FactOf<RecoveryEvent>;

/** The row while anything is pending. */
const timer = (key: string, event: Event, pending: Pending): TimerRow | null => {
  const next = nextOf(pending);
  if (next === null) return null;
  const { org_id } = event.metadata;
  return { key, org_id, due_at: next.at, kind: next.kind, position: Number(event.position), pending };
};

const change = (row: TimerRow, event: Event, pending: Partial<Pending>): TimerRow | null =>
  timer(row.key, event, { ...row.pending, ...pending });

const dropsCharge = ({ pending: { charge } }: TimerRow, classification: TimedClassification): boolean =>
  charge?.kind === 'retry' && dropsRetry(classification, charge.at);

/** A step begun outlives the recovery: its outcome is still wanted. */
const closed = (row: TimerRow, event: Event): TimerRow | null =>
  timer(row.key, event, closedPending(row.pending));

/** A PSP that is to be told to stop is told at once. */
const stopping = (mode: PspRetryMode | undefined, since: string): Pending['stop'] =>
  mode === 'take_over' ? instant(since) : null;

const charges: Changes<TimerRow, RecoveryEvent> = {
  /** A scheduled retry that is not allowed any more, or not yet, is dropped; one that was begun still wants its outcome. */
  FurtherFailureRecorded: (row, event) =>
    change(row, event, dropsCharge(row, event.data) ? { charge: null } : {}),
  RetryScheduled: (row, event) =>
    change(row, event, { charge: { kind: 'retry', at: instant(event.data.at) }, grace_until: null }),
  RetryDropped: (row, event) => change(row, event, { charge: null }),
  PspRetriesFound: (row, event) =>
    change(row, event, {
      charge: settling(row.pending.charge),
      stop: stopping(event.data.mode, event.data.found_at),
    }),
  PspRetriesUndecided: (row, event) => change(row, event, { stop: instant(event.data.check_at) }),
  PspRetriesStopped: (row, event) => change(row, event, { stop: null }),
  PspRetriesLeft: (row, event) => change(row, event, { charge: settling(row.pending.charge), stop: null }),
  PspRetriesEnded: (row, event) => change(row, event, {}),
  RetryStarted: (row, event) =>
    change(row, event, { charge: { kind: 'settle', at: settleAt(event.data.started_at) } }),
  RetryOutcomeUnknown: (row, event) =>
    change(row, event, { charge: { kind: 'settle', at: instant(event.data.check_at) } }),
  RetrySucceeded: (row, event) => change(row, event, { charge: null }),
  RetryUnresolved: (row, event) => change(row, event, { charge: null }),
  RetryDeclined: (row, event) => change(row, event, { charge: null }),
};

type Alerts = Pending['alerts'];
const told = (alerts: Alerts, cause: string): Alerts => alerts.filter((alert) => alert.cause !== cause);
const alertAt = (alerts: Alerts, cause: string, at: string): Alerts =>
  alerts.map((alert) => (alert.cause === cause ? { cause, at } : alert));

const alerts: Changes<TimerRow, RecoveryEvent> = {
  RecoveryEscalated: (row, event) => {
    const { cause, escalated_at, cohort } = event.data;
    const at = instant(escalated_at ?? cohort.opened_at);
    return change(row, event, { alerts: [...row.pending.alerts, { cause, at }] });
  },
  MerchantAlertStarted: (row, event) => {
    const { cause, started_at } = event.data;
    return change(row, event, { alerts: alertAt(row.pending.alerts, cause, settleAt(started_at)) });
  },
  MerchantAlertFailed: (row, event) => {
    const { cause, permanent, retry_at } = event.data;
    const known = row.pending.alerts;
    if (permanent) return change(row, event, { alerts: told(known, cause) });
    return change(row, event, retry_at ? { alerts: alertAt(known, cause, instant(retry_at)) } : {});
  },
  MerchantAlertSent: (row, event) =>
    change(row, event, { alerts: told(row.pending.alerts, event.data.cause) }),
  MerchantAlertSkipped: (row, event) =>
    change(row, event, { alerts: told(row.pending.alerts, event.data.cause) }),
};

const others: Changes<TimerRow, RecoveryEvent> = {
  NotificationScheduled: (row, event) =>
    change(row, event, { mail: { at: instant(event.data.at), begun: false }, grace_until: null }),
  NotificationStarted: (row, event) =>
    change(row, event, { mail: row.pending.mail && { at: settleAt(event.data.started_at), begun: true } }),
  NotificationSent: (row, event) => change(row, event, { mail: null }),
  NotificationDropped: (row, event) => change(row, event, { mail: null }),
  NotificationFailed: (row, event) => {
    const { permanent, retry_at } = event.data;
    const { mail } = row.pending;
    if (permanent || mail === null || row.pending.expires_at === null)
      return change(row, event, { mail: null });
    return change(row, event, {
      mail: { at: retry_at === undefined ? mail.at : instant(retry_at), begun: false },
    });
  },
  RecoveryLinkOpened: (row, event) => change(row, event, {}),
  CheckoutOpened: (row, event) =>
    change(row, event, { quiet_until: quietUntil(event.data.checkout_opened_at) }),
  CheckoutUndecided: (row, event) => change(row, event, { quiet_until: instant(event.data.check_at) }),
  GracePeriodStarted: (row, event) => change(row, event, { grace_until: instant(event.data.until) }),
  DoublePaymentSuspected: (row, event) => change(row, event, {}),
};

/**
 * When each recovery wants to be looked at next; no row once nothing is pending. A hint: the scheduler decides from the stream. It may be
 * early, never late. A step that was begun is due a minute later, in case its worker died.
 */
export const timers: Projection<TimerRow> = {
  version: 7,
  table: {
    name: 'timers',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      due_at: 'timestamptz',
      kind: 'text',
      position: 'bigint',
      pending: 'jsonb',
    },
    indexes: [['due_at', 'key']],
  },
  keysOf: keyOfStream,
  streamOf: recoveryStream,
  ...foldOf<TimerRow, RecoveryEvent>(
    {
      RecoveryStarted: (event, key, row) =>
        row ??
        timer(key, event, {
          charge: null,
          stop: stopping(event.data.psp_retries, event.data.cohort.opened_at),
          mail: null,
          expires_at: instant(event.data.expires_at),
          grace_until: null,
          quiet_until: null,
          alerts: [],
        }),
    },
    {
      ...charges,
      ...others,
      ...alerts,
      RecoverySucceeded: closed,
      RecoveryExhausted: closed,
      RecoveryExpired: closed,
      RecoveryCancelled: closed,
    },
  ),
};
