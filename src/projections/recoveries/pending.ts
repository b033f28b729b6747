import { type Instant, MINUTE, plus } from '../../kernel/clock.js';

/** retry and notify: a scheduled step · settle: ask what became of a charge begun · close: exhausted or expired. */
export type ActionKind = 'retry' | 'settle' | 'notify' | 'close';
export type NextAction = Readonly<{ kind: ActionKind; at: Instant }>;

/** What a recovery is waiting for. Closed, it may still wait for the outcome of a charge under way. */
export type Pending = Readonly<{
  charge: Readonly<{ kind: 'retry' | 'settle'; at: Instant }> | null;
  notify_at: Instant | null;
  close_at: Instant | null;
  /** No retry beside a customer who stands at a checkout. */
  quiet_until: Instant | null;
}>;

/** A step begun without an outcome is looked at again after this time: its worker may have died. */
export const SETTLE_AFTER = MINUTE;
/** How long a checkout holds scheduled retries back. */
export const CHECKOUT_QUIET = 30 * MINUTE;

export const settleAt = (startedAt: Instant): Instant => plus(startedAt, SETTLE_AFTER);
export const quietUntil = (checkoutOpenedAt: Instant): Instant => plus(checkoutOpenedAt, CHECKOUT_QUIET);

/**
 * The one thing due next: while a charge has no outcome nothing but asking for it; else the earliest, at the same
 * instant a retry before a mail before the end. Instants in the one form of `instant`, so text order is time order.
 */
export const nextOf = ({ charge, notify_at, close_at, quiet_until }: Pending): NextAction | null => {
  if (charge?.kind === 'settle') return { kind: 'settle', at: charge.at };
  const retryAt = charge && (quiet_until !== null && quiet_until > charge.at ? quiet_until : charge.at);
  let next: NextAction | null = retryAt === null ? null : { kind: 'retry', at: retryAt };
  if (notify_at !== null && (next === null || notify_at < next.at)) next = { kind: 'notify', at: notify_at };
  if (close_at !== null && (next === null || close_at < next.at)) next = { kind: 'close', at: close_at };
  return next;
};
