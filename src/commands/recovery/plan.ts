import { createHash } from 'node:crypto';
import type { Explanation, RecoveryEvent } from '../../events/recovery.js';
import { type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import { categoryRetryCaps } from './classification/tables.js';
import { evolve } from './evolve.js';
import { isUrgent, mailPlans, type MailStep } from './mailPlans.js';
import { GRACE_PERIOD, type Recovery, type RecoveryCase } from './state.js';

/** 0 ≤ jitter < 1, the same for the same attempt of the same recovery. */
const jitter = (seed: string, attempt: number): number =>
  createHash('sha256').update(`${seed}:${attempt}`).digest().readUInt32BE(0) / 2 ** 32;

/** The wait before an attempt: exponential, capped, then up to a tenth shorter so that a batch spreads out. */
export const backoff = (policy: RecoveryCase['policy'], seed: string, attempt: number): number => {
  const grown = policy.initial_delay_minutes * policy.backoff_multiplier ** (attempt - 1);
  const capped = Math.min(grown, policy.max_delay_minutes) * MINUTE;
  return Math.round(capped * (1 - jitter(seed, attempt) / 10));
};

type Planned<T> = { readonly at: Instant; readonly what: T } | { readonly refused: string };

/** However often its category changes, a recovery sends no more mails than that. */
const MAX_MAILS = 6;

const planRetry = (known: RecoveryCase, now: Instant): Planned<number> => {
  const { category, retry, earliest_at } = known.classification;
  if (known.scheduled !== undefined) return { refused: 'one is scheduled' };
  if (retry === 'never') return { refused: 'the network or the issuer forbids another attempt' };
  if (retry === 'after_change') return { refused: 'the same method cannot succeed before something changes' };
  if (!known.chargeable) return { refused: 'the PSP has nothing on file that could be charged' };
  const attempt = known.attempts + 1;
  const used = known.attempts - known.refused;
  if (used >= known.policy.max_retries) return { refused: 'the policy allows no further attempt' };
  if (used >= (categoryRetryCaps[category] ?? Infinity))
    return { refused: `no further attempt for ${category}` };
  const wanted = plus(now, backoff(known.policy, known.paymentId, attempt));
  const at = earliest_at !== undefined && isBefore(wanted, earliest_at) ? earliest_at : wanted;
  return isBefore(at, known.expiresAt)
    ? { at, what: attempt }
    : { refused: 'the recovery ends before the next attempt' };
};

type PlannedMail = Planned<MailStep & { readonly step: number }>;

/** The mail that follows those taken, whether or not one is planned already. */
const mailAfter = (known: RecoveryCase, now: Instant, retriesOver: boolean): PlannedMail => {
  if (!known.payable) return { refused: 'there is no checkout to lead the customer to' };
  if (!known.channels.includes('email')) return { refused: 'no address or channel to mail to' };
  if (known.undeliverable) return { refused: 'the address cannot be reached' };
  const step = known.steps + 1;
  const plan = mailPlans[known.classification.category];
  const index = known.steps - known.stepsBefore;
  const next = plan[index];
  if (next === undefined)
    return { refused: plan.length === 0 ? 'no mail for this category' : 'every mail is out' };
  if (step > MAX_MAILS) return { refused: 'enough mails went out' };
  if (next.afterRetries && !retriesOver) return { refused: 'retries come first' };
  const at = plus(now, index === 0 && retriesOver ? 0 : next.delay);
  return isBefore(at, known.expiresAt)
    ? { at, what: { ...next, step } }
    : { refused: 'the recovery ends before the mail' };
};

const planMail = (known: RecoveryCase, now: Instant, retriesOver: boolean): PlannedMail =>
  known.notification === undefined ? mailAfter(known, now, retriesOver) : { refused: 'one is scheduled' };

export const explain = (
  known: RecoveryCase,
  chosen: 'retry' | 'notify' | 'wait' | 'close',
  rejected: Explanation['rejected'],
): Explanation => ({
  chosen,
  candidates: ['retry', 'notify', 'wait', 'close'],
  rejected,
  evidence: known.classification.evidence,
  policy_version: known.policy.version,
  rules_version: 0,
  limits_version: 0,
  counters: { attempts: known.attempts, max_retries: known.policy.max_retries, mails: known.mailsSent },
});

/** A mail planned but not begun goes when none is to be sent, or when an urgent plan wants another, or it sooner. */
const superseded = (known: RecoveryCase, now: Instant): string | undefined => {
  const { notification } = known;
  if (notification === undefined || notification.messageId !== undefined) return undefined;
  const plan = mailPlans[known.classification.category];
  if (plan.length === 0) return 'no mail for this category';
  if (!known.payable) return 'there is no checkout to lead the customer to';
  const wanted = mailAfter(known, now, false);
  if (!isUrgent(plan) || 'refused' in wanted) return undefined;
  const same = wanted.what.template === notification.template && !isBefore(wanted.at, notification.at);
  return same ? undefined : 'another mail is called for';
};

const exhausted = (known: RecoveryCase, rejected: Explanation['rejected']): RecoveryEvent => {
  const { cohort, classification, undeliverable, attempts } = known;
  const reason = undeliverable
    ? 'undeliverable'
    : attempts === 0 || mailPlans[classification.category].length === 0
      ? classification.category
      : 'retries_used_up';
  return {
    type: 'RecoveryExhausted',
    data: { reason, explanation: explain(known, 'close', rejected), cohort },
  };
};

/** Neither retry nor mail: the end, or a while for the mails that are out. */
const closing = (known: RecoveryCase, now: Instant, rejected: Explanation['rejected']): RecoveryEvent[] => {
  const { cohort, classification, graceUntil, expiresAt } = known;
  const { category } = classification;
  if (graceUntil !== undefined || category === 'pending_unknown') return [];
  if (known.mailsSent === 0 || mailPlans[category].length === 0) return [exhausted(known, rejected)];
  const grace = plus(now, GRACE_PERIOD);
  const until = isBefore(grace, expiresAt) ? grace : expiresAt;
  return [
    { type: 'GracePeriodStarted', data: { until, explanation: explain(known, 'wait', rejected), cohort } },
  ];
};

const rejections = (retry: Planned<unknown>, mail: Planned<unknown>): Explanation['rejected'] => [
  ...('refused' in retry ? [{ candidate: 'retry', reason: retry.refused }] : []),
  ...('refused' in mail ? [{ candidate: 'notify', reason: mail.refused }] : []),
];

export interface NextSteps {
  readonly events: readonly RecoveryEvent[];
  /** Why nothing more, where no event says it. */
  readonly explanation: Explanation;
}

const stepsOf = (known: RecoveryCase, now: Instant): NextSteps => {
  const { cohort } = known;
  const retry = planRetry(known, now);
  const retriesOver = known.scheduled === undefined && 'refused' in retry;
  const mail = planMail(known, now, retriesOver);
  const rejected = rejections(retry, mail);
  const events: RecoveryEvent[] = [];
  if (!('refused' in retry)) {
    const explanation = explain(known, 'retry', rejected);
    events.push({ type: 'RetryScheduled', data: { attempt: retry.what, at: retry.at, explanation, cohort } });
  }
  if (!('refused' in mail)) {
    const { step, template } = mail.what;
    const explanation = explain(known, 'notify', rejected);
    const data = { step, channel: 'email', at: mail.at, template, explanation, cohort } as const;
    events.push({ type: 'NotificationScheduled', data });
  }
  const explanation = explain(known, 'wait', rejected);
  const pending = events.length > 0 || known.scheduled !== undefined || known.notification !== undefined;
  return { events: pending ? events : closing(known, now, rejected), explanation };
};

/**
 * What follows from where the recovery stands: the next retry and mail where none is pending, else its end. Nothing
 * follows while an attempt has no outcome yet.
 */
export const nextSteps = (known: Extract<Recovery, { status: 'active' }>, now: Instant): NextSteps => {
  if (known.open !== undefined) {
    const reason = 'an attempt has no outcome yet';
    const rejected = ['retry', 'notify', 'close'].map((candidate) => ({ candidate, reason }));
    return { events: [], explanation: explain(known, 'wait', rejected) };
  }
  const reason = superseded(known, now);
  if (known.notification === undefined || reason === undefined) return stepsOf(known, now);
  const { step } = known.notification;
  const dropped: RecoveryEvent = {
    type: 'NotificationDropped',
    data: { step, reason, cohort: known.cohort },
  };
  const after = evolve(known, dropped);
  if (after.status === 'none') return stepsOf(known, now);
  const { events, explanation } = stepsOf(after, now);
  return { events: [dropped, ...events], explanation };
};
