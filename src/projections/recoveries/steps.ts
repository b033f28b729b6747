import type { AttemptView, EscalationView, NotificationView } from './row.js';

const blankAttempt = (attempt: number): AttemptView => ({
  attempt,
  status: 'scheduled',
  scheduled_at: null,
  started_at: null,
  settled_at: null,
  unknown_outcomes: 0,
  check_at: null,
  failure: null,
  category: null,
  reference: null,
});

/** The attempts with one of them changed, or added when it is new. */
export const withAttempt = (
  attempts: readonly AttemptView[],
  attempt: number,
  change: (attempt: AttemptView) => Partial<AttemptView>,
): readonly AttemptView[] => {
  const known = attempts.some((one) => one.attempt === attempt);
  const all = known ? attempts : [...attempts, blankAttempt(attempt)];
  return all.map((one) => (one.attempt === attempt ? { ...one, ...change(one) } : one));
};

/** An attempt scheduled anew starts from nothing. */
export const scheduledAttempt = (
  attempts: readonly AttemptView[],
  attempt: number,
  at: string,
): readonly AttemptView[] =>
  withAttempt(attempts, attempt, () => ({ ...blankAttempt(attempt), scheduled_at: at }));

/** What was only scheduled will not be made any more. */
export const dropAttempts = (attempts: readonly AttemptView[]): readonly AttemptView[] =>
  attempts.map((one) => (one.status === 'scheduled' ? { ...one, status: 'dropped' } : one));

/** One under way is not dropped: its end is told by an event of its own. */
export const dropNotifications = (notifications: readonly NotificationView[]): readonly NotificationView[] =>
  notifications.map((one) => (one.status === 'scheduled' ? { ...one, status: 'dropped' } : one));

/** The notifications with one of them changed. */
export const withNotification = (
  notifications: readonly NotificationView[],
  step: number,
  change: Partial<NotificationView>,
): readonly NotificationView[] =>
  notifications.map((one) => (one.step === step ? { ...one, ...change } : one));

export const scheduledNotification = (
  notifications: readonly NotificationView[],
  { step, channel, template, at }: Pick<NotificationView, 'step' | 'channel' | 'template' | 'at'>,
): readonly NotificationView[] => [
  ...notifications.filter((one) => one.step !== step),
  { step, channel, template, status: 'scheduled', at, started_at: null, sent_at: null, message_id: null },
];

/** The escalations with one of them changed. */
export const withEscalation = (
  escalations: readonly EscalationView[],
  cause: string,
  change: Partial<EscalationView>,
): readonly EscalationView[] => escalations.map((one) => (one.cause === cause ? { ...one, ...change } : one));
