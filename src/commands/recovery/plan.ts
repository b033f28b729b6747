import { createHash } from 'node:crypto';
import type { Category, Explanation, RecoveryEvent } from '../../events/recovery.js';
import { DAY, type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import { categoryRetryCaps } from './classification/tables.js';
import { GRACE_PERIOD, type RecoveryCase } from './state.js';

interface MailStep {
  readonly template: string;
  /** After the decision that plans it. */
  readonly delay: number;
  /** Not while a retry may still bring the money in. */
  readonly afterRetries?: true;
}

const gentle: readonly MailStep[] = [
  { template: 'payment_failed', delay: DAY },
  { template: 'final_notice', delay: 3 * DAY, afterRetries: true },
];
const silentAtFirst: readonly MailStep[] = [
  { template: 'payment_failed', delay: 0, afterRetries: true },
  { template: 'final_notice', delay: 3 * DAY },
];
const atOnce = (template: string): readonly MailStep[] => [
  { template, delay: 0 },
  { template, delay: 3 * DAY },
  { template: 'final_notice', delay: 4 * DAY },
];

/** Which mails a category calls for; none where the customer can do nothing or must not be asked. */
const mailPlans: Readonly<Record<Category, readonly MailStep[]>> = {
  insufficient_funds: gentle,
  issuer_decline: gentle,
  velocity_limit: gentle,
  issuer_risk: gentle,
  unknown: gentle,
  network_error: silentAtFirst,
  authentication_required: atOnce('authentication_required'),
  customer_abandoned: atOnce('payment_failed'),
  card_data_invalid: atOnce('update_card'),
  credential_changed: atOnce('update_card'),
  account_invalid: atOnce('other_method'),
  lost_stolen_fraud: atOnce('other_method'),
  not_permitted: atOnce('other_method'),
  revoked: [],
  merchant_config: [],
  psp_blocked: [],
  duplicate: [],
  pending_unknown: [],
};

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

const planRetry = (known: RecoveryCase, now: Instant): Planned<number> => {
  const { category, retry, earliest_at } = known.classification;
  if (retry === 'never') return { refused: 'the network or the issuer forbids another attempt' };
  if (retry === 'after_change') return { refused: 'the same method cannot succeed before something changes' };
  const attempt = known.attempts + 1;
  if (attempt > known.policy.max_retries) return { refused: 'the policy allows no further attempt' };
  if (attempt > (categoryRetryCaps[category] ?? Infinity))
    return { refused: `no further attempt for ${category}` };
  const wanted = plus(now, backoff(known.policy, known.paymentId, attempt));
  const at = earliest_at !== undefined && isBefore(wanted, earliest_at) ? earliest_at : wanted;
  return isBefore(at, known.expiresAt)
    ? { at, what: attempt }
    : { refused: 'the recovery ends before the next attempt' };
};

const planMail = (
  known: RecoveryCase,
  now: Instant,
  retriesOver: boolean,
): Planned<MailStep & { step: number }> => {
  if (!known.channels.includes('email')) return { refused: 'no address or channel to mail to' };
  if (known.undeliverable) return { refused: 'the address cannot be reached' };
  const step = known.steps + 1;
  const plan = mailPlans[known.classification.category];
  const next = plan[step - 1];
  if (next === undefined)
    return { refused: plan.length === 0 ? 'no mail for this category' : 'every mail is out' };
  if (next.afterRetries && !retriesOver) return { refused: 'retries come first' };
  const hastened = step === 1 && retriesOver ? 0 : next.delay;
  const at = plus(now, hastened);
  return isBefore(at, known.expiresAt)
    ? { at, what: { ...next, step } }
    : { refused: 'the recovery ends before the mail' };
};

const explain = (known: RecoveryCase, chosen: string, rejected: Explanation['rejected']): Explanation => ({
  chosen,
  candidates: ['retry', 'notify', 'close'],
  rejected,
  evidence: known.classification.evidence,
  policy_version: known.policy.version,
  rules_version: 0,
  limits_version: 0,
  counters: { attempts: known.attempts, max_retries: known.policy.max_retries, mails: known.mailsSent },
});

const closing = (known: RecoveryCase, now: Instant, rejected: Explanation['rejected']): RecoveryEvent[] => {
  const { cohort } = known;
  if (known.graceUntil !== undefined || known.classification.category === 'pending_unknown') return [];
  if (known.mailsSent > 0) {
    const grace = plus(now, GRACE_PERIOD);
    const until = isBefore(grace, known.expiresAt) ? grace : known.expiresAt;
    return [{ type: 'GracePeriodStarted', data: { until, cohort } }];
  }
  const reason = known.undeliverable
    ? 'undeliverable'
    : known.attempts > 0
      ? 'retries_used_up'
      : known.classification.category;
  return [
    { type: 'RecoveryExhausted', data: { reason, explanation: explain(known, 'close', rejected), cohort } },
  ];
};

/**
 * What follows from where the recovery stands: the next retry and mail where none is pending, else its end. Nothing
 * follows while an attempt has no outcome yet.
 */
export const nextSteps = (known: RecoveryCase, now: Instant): RecoveryEvent[] => {
  if (known.open !== undefined) return [];
  const { cohort } = known;
  const retry: Planned<number> =
    known.scheduled === undefined ? planRetry(known, now) : { refused: 'one is scheduled' };
  const retriesOver = known.scheduled === undefined && 'refused' in retry;
  const mail: Planned<MailStep & { step: number }> =
    known.notification === undefined ? planMail(known, now, retriesOver) : { refused: 'one is scheduled' };
  const rejected = [
    ...('refused' in retry ? [{ candidate: 'retry', reason: retry.refused }] : []),
    ...('refused' in mail ? [{ candidate: 'notify', reason: mail.refused }] : []),
  ];
  const events: RecoveryEvent[] = [];
  if (!('refused' in retry))
    events.push({
      type: 'RetryScheduled',
      data: { attempt: retry.what, at: retry.at, explanation: explain(known, 'retry', rejected), cohort },
    });
  if (!('refused' in mail)) {
    const { step, template } = mail.what;
    events.push({
      type: 'NotificationScheduled',
      data: {
        step,
        channel: 'email',
        at: mail.at,
        template,
        explanation: explain(known, 'notify', rejected),
        cohort,
      },
    });
  }
  if (events.length > 0 || known.scheduled !== undefined || known.notification !== undefined) return events;
  return closing(known, now, rejected);
};
