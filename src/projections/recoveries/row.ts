import type { channels } from '../../events/organization.js';
import type { SuccessSource } from '../../events/payment.js';
import type { Category, closedStatuses, Hardness, RetryPermission } from '../../events/recovery.js';
import type { Failure } from '../../kernel/ports.js';
import { type NextAction, nextOf, type Pending, settleAt } from './pending.js';

export type RecoveryStatus = 'active' | (typeof closedStatuses)[number];

export type AttemptView = Readonly<{
  /** 1, 2, … */
  attempt: number;
  /** dropped: scheduled, but not to be made any more. */
  status: 'scheduled' | 'started' | 'succeeded' | 'declined' | 'unknown' | 'dropped';
  /** When the attempt is or was due. */
  scheduled_at: string | null;
  started_at: string | null;
  /** When its outcome was known. */
  settled_at: string | null;
  /** How often the PSP did not tell the outcome. */
  unknown_outcomes: number;
  /** When the PSP is asked again; null unless the outcome is unknown. */
  check_at: string | null;
  /** The decline, without the PSP's free text. */
  failure: Omit<Failure, 'message'> | null;
  /** What the decline was classified as. */
  category: Category | null;
  /** The PSP's name for the charge that succeeded. */
  reference: string | null;
}>;

export type NotificationView = Readonly<{
  /** 1, 2, … */
  step: number;
  channel: (typeof channels)[number];
  template: string;
  /** failed: for good · dropped: not to be sent any more. */
  status: 'scheduled' | 'started' | 'sent' | 'failed' | 'dropped';
  /** When it is or was due; after a passing failure, when it is tried again. */
  at: string;
  started_at: string | null;
  sent_at: string | null;
  /** Known once its sending was begun. */
  message_id: string | null;
}>;

export type EscalationView = Readonly<{
  /** The category, or the id of the rule. */
  cause: string;
  reason: string;
  at: string;
  /** Whether the merchant was mailed: by this recovery or another of that day. failed: for good. */
  status: 'pending' | 'told' | 'failed';
  /** When the mail is due, or tried again; null once that is over. */
  alert_at: string | null;
  told_at: string | null;
  /** The recovery that told it, where it was another one. */
  told_by: string | null;
}>;

export type RecoveryRow = Readonly<{
  /** The recovery's id. */
  key: string;
  org_id: string;
  payment_id: string;
  transaction_ref: string;
  gateway: string;
  status: RecoveryStatus;
  /** What the newest failure was classified as. */
  category: Category;
  hardness: Hardness;
  /** Whether the same method may be charged again. */
  retry: RetryPermission;
  /** The debt, in minor units. */
  amount: number;
  currency: string;
  /** What came in, in minor units; null unless succeeded. */
  recovered_amount: number | null;
  /** Who brought the money in; null unless succeeded. */
  source: SuccessSource | null;
  /** Two payments were told of: one is probably to be given back. */
  double_payment: boolean;
  opened_at: string;
  closed_at: string | null;
  expires_at: string;
  /** Why it was exhausted or cancelled. */
  close_reason: string | null;
  policy_version: number;
  attempts: readonly AttemptView[];
  notifications: readonly NotificationView[];
  /** The PSP has an engine of its own: watched until it gave up, or told to stop. */
  psp_retries: 'watched' | 'gave_up' | 'to_stop' | 'stopped' | null;
  /** When that engine was learnt of. */
  psp_retries_since: string | null;
  /** When the PSP that did not say whether it stops is told again. */
  psp_retries_check_at: string | null;
  /** Matters for the merchant, the oldest first. */
  escalations: readonly EscalationView[];
  /** Whether there are any. */
  escalated: boolean;
  /** What is due next; once closed, only an outcome of what is under way, and the mail to the merchant. */
  next_action: NextAction | null;
  /** When the customer's page was opened first. */
  link_opened_at: string | null;
  /** Checkouts opened. */
  checkouts: number;
  /** When the last of them was opened. */
  checkout_opened_at: string | null;
  /** Until then nothing is done beside a customer who may be paying. */
  quiet_until: string | null;
  /** Every retry and mail is used up; the mailed link stays good until then. */
  grace_until: string | null;
  last_event_at: string;
  /** The stream's revision and the log position of the last event folded. */
  revision: number;
  position: number;
}>;

const stopOf = (row: RecoveryRow): Pending['stop'] =>
  row.psp_retries === 'to_stop' ? (row.psp_retries_check_at ?? row.psp_retries_since) : null;

const chargeOf = ({ attempts }: RecoveryRow): Pending['charge'] => {
  const open = attempts.findLast(
    ({ status }) => status === 'scheduled' || status === 'started' || status === 'unknown',
  );
  if (open?.status === 'scheduled')
    return open.scheduled_at === null ? null : { kind: 'retry', at: open.scheduled_at };
  if (open?.status === 'unknown')
    return open.check_at === null ? null : { kind: 'settle', at: open.check_at };
  return open?.started_at ? { kind: 'settle', at: settleAt(open.started_at) } : null;
};

const mailOf = (notifications: readonly NotificationView[]): Pending['mail'] => {
  const open = notifications.findLast(({ status }) => status === 'scheduled' || status === 'started');
  if (open === undefined) return null;
  const begun = open.status === 'started';
  return { at: begun && open.started_at !== null ? settleAt(open.started_at) : open.at, begun };
};

const alertsOf = (escalations: readonly EscalationView[]): Pending['alerts'] =>
  escalations.flatMap(({ cause, alert_at: at }) => (at === null ? [] : [{ cause, at }]));

/** What is due first. Closing has dropped what was only scheduled. */
export const nextActionOf = (row: RecoveryRow): NextAction | null =>
  nextOf({
    charge: chargeOf(row),
    stop: stopOf(row),
    mail: mailOf(row.notifications),
    expires_at: row.status === 'active' ? row.expires_at : null,
    grace_until: row.grace_until,
    quiet_until: row.quiet_until,
    alerts: alertsOf(row.escalations),
  });
