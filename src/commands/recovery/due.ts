import { type Instant, isBefore } from '../../kernel/clock.js';
import type { KnownRecovery, OpenAttempt, PendingAlert, PendingNotification, Recovery } from './state.js';

/** The one thing to do now. */
export type DueAction =
  /** An attempt has no outcome: ask what became of it. */
  | { readonly kind: 'settle'; readonly open: OpenAttempt }
  /** The PSP retries by itself, and is to be told to stop. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'retry'; readonly attempt: number }
  | { readonly kind: 'notify'; readonly notification: PendingNotification }
  /** The recovery ended while a mail was being sent, and nobody told what became of it. */
  | { readonly kind: 'abandon'; readonly notification: PendingNotification }
  | { readonly kind: 'close' }
  | { readonly kind: 'alert'; readonly alert: PendingAlert };

/** The customer may be about to pay, or has paid and the PSP has not decided yet. */
export const customerIsPaying = ({ checkout }: KnownRecovery, now: Instant): boolean =>
  checkout !== undefined && isBefore(now, checkout.quietUntil);

const reached = (now: Instant, at: Instant | undefined): boolean => at !== undefined && !isBefore(now, at);

/** For the debt: what the merchant is to be told comes after it. */
const dueStep = (recovery: KnownRecovery, now: Instant): DueAction | undefined => {
  if (recovery.open !== undefined)
    return reached(now, recovery.open.checkAt) ? { kind: 'settle', open: recovery.open } : undefined;
  const { notification } = recovery;
  if (recovery.status !== 'active')
    return notification !== undefined && reached(now, notification.at)
      ? { kind: 'abandon', notification }
      : undefined;
  if (customerIsPaying(recovery, now)) return undefined;
  const { scheduled, graceUntil, expiresAt } = recovery;
  if (reached(now, expiresAt)) return { kind: 'close' };
  if (recovery.pspRetries === 'to_stop' && reached(now, recovery.pspStop?.at)) return { kind: 'stop' };
  if (scheduled !== undefined && reached(now, scheduled.at))
    return { kind: 'retry', attempt: scheduled.attempt };
  if (notification !== undefined && reached(now, notification.at)) return { kind: 'notify', notification };
  return reached(now, graceUntil) ? { kind: 'close' } : undefined;
};

/** What the stream says is due at `now`; undefined when a timer looked too early or somebody else was faster. */
export const dueAction = (recovery: Recovery, now: Instant): DueAction | undefined => {
  if (recovery.status === 'none') return undefined;
  const alert = recovery.alerts.find(({ at }) => reached(now, at));
  return dueStep(recovery, now) ?? (alert && { kind: 'alert', alert });
};
