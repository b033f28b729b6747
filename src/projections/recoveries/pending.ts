import { CHECKOUT_QUIET, SETTLE_AFTER } from '../../events/recovery.js';
import { type Instant, plus } from '../../kernel/clock.js';

/**
 * retry and notify: a step is due · settle: ask what became of a charge begun · close: exhausted or expired ·
 * abandon: the recovery ended while a mail was under way, and nobody told what became of it.
 */
export type ActionKind = 'retry' | 'settle' | 'notify' | 'abandon' | 'close';
export type NextAction = Readonly<{ kind: ActionKind; at: Instant }>;

/** What a recovery is waiting for. Closed, it may still wait for the outcome of a charge or mail begun. */
export type Pending = Readonly<{
  charge: Readonly<{ kind: 'retry' | 'settle'; at: Instant }> | null;
  mail: Readonly<{ at: Instant; begun: boolean }> | null;
  /** Null once closed. */
  close_at: Instant | null;
  /** Nothing beside a customer who stands at a checkout. */
  quiet_until: Instant | null;
}>;

export const settleAt = (startedAt: Instant): Instant => plus(startedAt, SETTLE_AFTER);
export const quietUntil = (checkoutOpenedAt: Instant): Instant => plus(checkoutOpenedAt, CHECKOUT_QUIET);

/**
 * The one thing due next: while a charge has no outcome nothing but asking for it; else the earliest, at the same
 * instant a retry before a mail before the end, but nothing while the customer may be paying. Instants in the one form
 * of `instant`, so text order is time order.
 */
export const nextOf = ({ charge, mail, close_at, quiet_until }: Pending): NextAction | null => {
  if (charge?.kind === 'settle') return { kind: 'settle', at: charge.at };
  if (close_at === null) return mail && { kind: 'abandon', at: mail.at };
  let next: NextAction = { kind: 'close', at: close_at };
  if (mail !== null && mail.at <= next.at) next = { kind: 'notify', at: mail.at };
  if (charge !== null && charge.at <= next.at) next = { kind: 'retry', at: charge.at };
  return quiet_until !== null && quiet_until > next.at ? { kind: next.kind, at: quiet_until } : next;
};

/** Closing drops what was only scheduled. */
export const closedPending = ({ charge, mail, quiet_until }: Pending): Pending => ({
  charge: charge?.kind === 'settle' ? charge : null,
  mail: mail?.begun ? mail : null,
  close_at: null,
  quiet_until,
});
