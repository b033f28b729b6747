import type { Category } from '../../events/category.js';
import type { Explanation, RecoveryEvent } from '../../events/recovery.js';
import { type Instant, isBefore, plus } from '../../kernel/clock.js';
import { permitFor } from '../credential/ledger.js';
import { evolve } from './evolve.js';
import { explain } from './explain.js';
import { chargeOf, type Guidance, ruleFactsOf } from './guidance.js';
import { mailPlans } from './mailPlans.js';
import { mailForbidden, mailNow, planMail, superseded } from './planMail.js';
import { forbids, type Planned, planRetry, type Situation, untimely } from './planRetry.js';
import { GRACE_PERIOD, type KnownRecovery, type PendingNotification, type RecoveryCase } from './state.js';

/** Nothing the customer can do: the merchant is told, and why. */
const merchantsMatter: Readonly<Partial<Record<Category, string>>> = {
  merchant_config: "the merchant's own set-up refuses the payment",
  psp_blocked: 'the PSP blocks the payment: review it there',
  revoked: 'the customer has withdrawn the consent: talk to them before any other charge',
  duplicate: 'the PSP takes it for a duplicate: look for the first charge',
};

/** The PSP may still bring the money in by itself, or is about to be told to stop. */
const ofThePsp = (retries: RecoveryCase['pspRetries']): boolean =>
  retries === 'watched' || retries === 'to_stop';

const exhausted = (situation: Situation, rejected: Explanation['rejected']): RecoveryEvent => {
  const { cohort, classification, undeliverable, attempts } = situation.known;
  const reason = undeliverable
    ? 'undeliverable'
    : attempts === 0 || mailPlans[classification.category].length === 0
      ? classification.category
      : 'retries_used_up';
  const explanation = explain(situation, 'close', rejected);
  return { type: 'RecoveryExhausted', data: { reason, explanation, cohort } };
};

/** Neither retry nor mail: the end, or a while for the mails that are out. */
const closing = (situation: Situation, rejected: Explanation['rejected']): RecoveryEvent[] => {
  const { known, now } = situation;
  const { cohort, classification, graceUntil, expiresAt } = known;
  const { category } = classification;
  if (graceUntil !== undefined || category === 'pending_unknown' || ofThePsp(known.pspRetries)) return [];
  if (known.mailsSent === 0 || mailPlans[category].length === 0) return [exhausted(situation, rejected)];
  const grace = plus(now, GRACE_PERIOD);
  const until = isBefore(grace, expiresAt) ? grace : expiresAt;
  const explanation = explain(situation, 'wait', rejected);
  return [{ type: 'GracePeriodStarted', data: { until, explanation, cohort } }];
};

const rejections = (retry: Planned<unknown>, mail: Planned<unknown>): Explanation['rejected'] => [
  ...('refused' in retry ? [{ candidate: 'retry', reason: retry.refused }] : []),
  ...('refused' in mail ? [{ candidate: 'notify', reason: mail.refused }] : []),
];

export interface NextSteps {
  readonly events: readonly RecoveryEvent[];
  /** Why nothing more, where no event says it. */
  readonly explanation: () => Explanation;
}

const plannedSteps = (situation: Situation): NextSteps => {
  const { cohort, scheduled, notification, pspRetries } = situation.known;
  const retry = planRetry(situation);
  const retriesOver = scheduled === undefined && 'refused' in retry && !ofThePsp(pspRetries);
  const mail = planMail(situation, retriesOver);
  const rejected = rejections(retry, mail);
  const events: RecoveryEvent[] = [];
  if (!('refused' in retry)) {
    const explanation = explain(situation, 'retry', rejected, retry.because);
    events.push({ type: 'RetryScheduled', data: { attempt: retry.what, at: retry.at, explanation, cohort } });
  }
  if (!('refused' in mail)) {
    const { step, template } = mail.what;
    const explanation = explain(situation, 'notify', rejected, mail.because);
    const data = { step, channel: 'email', at: mail.at, template, explanation, cohort } as const;
    events.push({ type: 'NotificationScheduled', data });
  }
  const pending = events.length > 0 || scheduled !== undefined || notification !== undefined;
  return {
    events: pending ? events : closing(situation, rejected),
    explanation: () => explain(situation, 'wait', rejected),
  };
};

/** Once for each category and each rule that calls for it. */
const escalation = ({ known, now: escalated_at, effects }: Situation): RecoveryEvent[] => {
  const { cohort, classification, escalated } = known;
  const { category } = classification;
  const events: RecoveryEvent[] = [];
  const matter = merchantsMatter[category];
  if (matter !== undefined && !escalated.includes(category))
    events.push({
      type: 'RecoveryEscalated',
      data: { cause: category, reason: matter, escalated_at, cohort },
    });
  const { escalate } = effects;
  if (escalate !== undefined && !escalated.includes(escalate.rule.id)) {
    const { id: cause, name: rule_name } = escalate.rule;
    const data = { cause, reason: escalate.reason, rule_name, escalated_at, cohort };
    events.push({ type: 'RecoveryEscalated', data });
  }
  return events;
};

const stopped = (
  situation: Situation,
  { rule, reason }: { rule: { name: string }; reason: string },
): NextSteps => {
  const because = `the rule "${rule.name}" ends the recovery: ${reason}`;
  const rejected = ['retry', 'notify', 'wait'].map((candidate) => ({ candidate, reason: because }));
  const explanation = explain(situation, 'close', rejected);
  const { cohort } = situation.known;
  const data = { reason: 'stopped_by_rule', explanation, cohort };
  return { events: [{ type: 'RecoveryExhausted', data }], explanation: () => explanation };
};

/** A retry that is planned stays only as long as nothing forbids it, and the failure is of the kind it was planned for. */
const droppedRetry = (situation: Situation): RecoveryEvent | undefined => {
  const { scheduled, classification, cohort } = situation.known;
  if (scheduled === undefined) return undefined;
  const changed = scheduled.category !== classification.category;
  const reason = changed ? 'the failure is of another kind by now' : forbids(situation);
  const { attempt } = scheduled;
  return reason === undefined ? undefined : { type: 'RetryDropped', data: { attempt, reason, cohort } };
};

const droppedMail = (situation: Situation): RecoveryEvent | undefined => {
  const { notification, cohort } = situation.known;
  const reason = superseded(situation);
  if (notification === undefined || reason === undefined) return undefined;
  return { type: 'NotificationDropped', data: { step: notification.step, reason, cohort } };
};

/** What is not called for any more goes first, so that something else can be planned. */
const afterDropping = (situation: Situation): NextSteps => {
  const dropped: RecoveryEvent[] = [];
  let left = situation;
  for (const find of [droppedRetry, droppedMail]) {
    const event = find(left);
    if (event === undefined) continue;
    dropped.push(event);
    left = { ...left, known: evolve({ ...left.known, status: 'active' }, event) as KnownRecovery };
  }
  const { events, explanation } = plannedSteps(left);
  return { events: [...dropped, ...events], explanation };
};

/** Nothing follows while it may not be needed. */
const waitsFor = ({ known, guidance }: Situation): string | undefined => {
  if (known.open !== undefined) return 'an attempt has no outcome yet';
  return guidance.paid ? 'the payment has succeeded' : undefined;
};

const situationOf = (known: RecoveryCase, now: Instant, guidance: Guidance): Situation => {
  const { rules, circumstances, ledger, limits } = guidance;
  const permit = permitFor(ledger, chargeOf(known, circumstances), now, limits);
  return {
    known,
    now,
    guidance,
    effects: rules.match(ruleFactsOf(circumstances, known, now)),
    used: 'refused' in permit ? {} : permit.used,
  };
};

/**
 * What follows from where the recovery stands: the next retry and mail where none is pending, else its end. Pure: the
 * same recovery, instant and guidance lead to the same steps.
 */
export const nextSteps = (known: RecoveryCase, now: Instant, guidance: Guidance): NextSteps => {
  const situation = situationOf(known, now, guidance);
  const reason = waitsFor(situation);
  if (reason !== undefined) {
    const rejected = ['retry', 'notify', 'close'].map((candidate) => ({ candidate, reason }));
    return { events: [], explanation: () => explain(situation, 'wait', rejected) };
  }
  const { stop } = situation.effects;
  const { events, explanation } = stop ? stopped(situation, stop) : afterDropping(situation);
  return { events: [...escalation(situation), ...events], explanation };
};

const endsBy = ({ rule }: { readonly rule: { readonly name: string } }): string =>
  `the rule "${rule.name}" ends the recovery`;

/** Why a retry that is due is not made after all; undefined where it is. */
export const heldBack = (known: RecoveryCase, now: Instant, guidance: Guidance): string | undefined => {
  const situation = situationOf(known, now, guidance);
  const { stop } = situation.effects;
  return stop ? endsBy(stop) : (forbids(situation) ?? untimely(situation));
};

/** Why a mail that is due is not sent after all; undefined where it is. */
export const heldMail = (known: RecoveryCase, now: Instant, guidance: Guidance): string | undefined => {
  const situation = situationOf(known, now, guidance);
  const { stop } = situation.effects;
  return stop ? endsBy(stop) : mailForbidden(situation);
};

/** A mail that is due planned anew, where it is to be sent later or by another template; undefined where it is not. */
export const mailAnew = (
  known: RecoveryCase,
  notification: PendingNotification,
  now: Instant,
  guidance: Guidance,
): RecoveryEvent | undefined => {
  const situation = situationOf(known, now, guidance);
  const { at, template, because } = mailNow(situation, notification);
  if (because.length === 0) return undefined;
  const explanation = explain(situation, 'notify', [], because);
  const { step } = notification;
  const data = { step, channel: 'email', at, template, explanation, cohort: known.cohort } as const;
  return { type: 'NotificationScheduled', data };
};
