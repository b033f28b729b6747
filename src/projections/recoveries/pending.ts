import { CHECKOUT_QUIET, SETTLE_AFTER } from '../../events/recovery.js';
import { earliest, type Instant, plus } from '../../kernel/clock.js';

/**
 * retry and notify: a step is due · stop: tell the PSP to retry no more by itself · settle: ask what became of a charge begun · close: exhausted or expired ·
 * abandon: the recovery ended while a mail was under way, and nobody told what became of it · alert: mail the merchant.
 */
export type ActionKind = 'stop' | 'retry' | 'settle' | 'notify' | 'abandon' | 'close' | 'alert';
export type NextAction = Readonly<{ kind: ActionKind; at: Instant }>;

/** What a recovery is waiting for. Closed, it may still wait for an outcome, and for the merchant to be told. */
export type Pending = Readonly<{
  charge: Readonly<{ kind: 'retry' | 'settle'; at: Instant }> | null;
  /** When the PSP is told to retry no more by itself. */
  stop: Instant | null;
  mail: Readonly<{ at: Instant; begun: boolean }> | null;
  /** Null once closed. */
  expires_at: Instant | null;
  /** The end, when that is sooner and nothing else is planned. */
  grace_until: Instant | null;
  /** Nothing beside a customer who stands at a checkout. */
  quiet_until: Instant | null;
  /** What the merchant is still to be told; no customer is waited for. */
  alerts: readonly Readonly<{ cause: string; at: Instant }>[];
}>;

export const settleAt = (startedAt: Instant): Instant => plus(startedAt, SETTLE_AFTER);
export const quietUntil = (checkoutOpenedAt: Instant): Instant => plus(checkoutOpenedAt, CHECKOUT_QUIET);

/** Instants in the one form of `instant`, so text order is time order. */
const later = (at: Instant, other: Instant | null): Instant => (other !== null && other > at ? other : at);

/**
 * For the debt: while a charge has no outcome nothing but asking for it; else the earliest, but nothing
 * while the customer may be paying. At the same instant the expiry comes before a retry, a mail, the end of the grace.
 */
const nextStep = ({
  charge,
  stop,
  mail,
  expires_at,
  grace_until,
  quiet_until,
}: Pending): NextAction | null => {
  if (charge?.kind === 'settle') return { kind: 'settle', at: charge.at };
  if (expires_at === null) return mail && { kind: 'abandon', at: mail.at };
  let next: NextAction = { kind: 'close', at: later(expires_at, quiet_until) };
  next = sooner(next, 'stop', stop && later(stop, quiet_until));
  if (charge !== null) next = sooner(next, charge.kind, later(charge.at, quiet_until));
  next = sooner(next, 'notify', mail && later(mail.at, quiet_until));
  return sooner(next, 'close', grace_until && later(grace_until, quiet_until));
};

const sooner = (next: NextAction, kind: ActionKind, at: Instant | null): NextAction =>
  at !== null && at < next.at ? { kind, at } : next;

/** The one thing due next; at the same instant the merchant is told last. */
export const nextOf = (pending: Pending): NextAction | null => {
  const next = nextStep(pending);
  const at = earliest(...pending.alerts.map((alert) => alert.at));
  return at !== undefined && (next === null || at < next.at) ? { kind: 'alert', at } : next;
};

/** A charge that was begun still wants its outcome. */
export const settling = (charge: Pending['charge']): Pending['charge'] =>
  charge?.kind === 'settle' ? charge : null;

/** Closing drops what was only scheduled. */
export const closedPending = ({ charge, mail, quiet_until, alerts }: Pending): Pending => ({
  charge: settling(charge),
  stop: null,
  mail: mail?.begun ? mail : null,
  expires_at: null,
  grace_until: null,
  quiet_until,
  alerts,
});
