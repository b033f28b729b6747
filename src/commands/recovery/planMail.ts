import { type Instant, isBefore, plus } from '../../kernel/clock.js';
import { nextWithin, spansOf } from '../../kernel/localTime.js';
import { isUrgent, type MailPlan, mailPlans, type MailStep } from './mailPlans.js';
import type { Circumstances } from './guidance.js';
import type { Planned, Situation } from './planRetry.js';
import type { PendingNotification, RecoveryCase } from './state.js';

/** However often its category changes, a recovery sends no more mails than that. */
const MAX_MAILS = 6;

type PlannedMail = Planned<MailStep & { readonly step: number }>;

const refusalOf = ({ known, effects }: Situation): string | undefined => {
  if (!known.payable) return 'there is no checkout to lead the customer to';
  if (!known.channels.includes('email')) return 'no address or channel to mail to';
  if (known.undeliverable) return 'the address cannot be reached';
  if (effects.channel?.value === 'none') return `the rule "${effects.channel.rule.name}" wants no mail`;
  return undefined;
};

/** The earliest instant from `at` on at which the policy lets a mail go to this customer. */
export const afterQuiet = (
  { policy: { quiet_hours: quiet, timezone } }: RecoveryCase,
  { timezone: zone = timezone }: Circumstances,
  at: Instant,
): Instant => (quiet && zone !== undefined ? nextWithin(at, zone, spansOf(quiet.to, quiet.from)) : at);

const planOf = ({ classification }: RecoveryCase): MailPlan => mailPlans[classification.category];

const LAST = 'final_notice';

/** The last mail says that it is the last, whatever a rule chooses for the others. */
const templateOf = ({ effects }: Situation, planned: string): string =>
  planned === LAST ? planned : (effects.template?.value ?? planned);

const heedQuiet = ({ known, guidance }: Situation, wanted: Instant) => {
  const { quiet_hours: quiet } = known.policy;
  const at = afterQuiet(known, guidance.circumstances, wanted);
  const because = isBefore(wanted, at)
    ? [`no mail from ${quiet?.from} to ${quiet?.to} o'clock local time`]
    : [];
  return { at, because };
};

/** The mail that follows those taken, whether or not one is planned already. */
const mailAfter = (situation: Situation, retriesOver: boolean): PlannedMail => {
  const { known, now } = situation;
  const refused = refusalOf(situation);
  if (refused !== undefined) return { refused };
  const step = known.steps + 1;
  const plan = planOf(known);
  const index = known.steps - known.stepsBefore;
  const next = plan[index];
  if (next === undefined)
    return { refused: plan.length === 0 ? 'no mail for this category' : 'every mail is out' };
  if (step > MAX_MAILS) return { refused: 'enough mails went out' };
  if (next.afterRetries && !retriesOver) return { refused: 'retries come first' };
  const wanted = plus(now, index === 0 && retriesOver ? 0 : next.delay);
  const { at, because } = heedQuiet(situation, wanted);
  return isBefore(at, known.expiresAt)
    ? { at, what: { ...next, template: templateOf(situation, next.template), step }, because }
    : { refused: 'the recovery ends before the mail' };
};

export const planMail = (situation: Situation, retriesOver: boolean): PlannedMail =>
  situation.known.notification === undefined
    ? mailAfter(situation, retriesOver)
    : { refused: 'one is scheduled' };

/** Why a mail that is planned is to be sent no more. */
export const mailForbidden = (situation: Situation): string | undefined =>
  planOf(situation.known).length === 0 ? 'no mail for this category' : refusalOf(situation);

/** The last mail comes after all others, also where the plan has changed meanwhile. */
const ownTemplate = ({ known }: Situation, planned: string): string => {
  const own = planOf(known)[known.steps - known.stepsBefore]?.template ?? LAST;
  return own === LAST ? planned : own;
};

/**
 * A mail that is due, as it is to be sent by now; `because`: what makes it another than the one planned. One that was
 * tried may have arrived: tried again it is the same.
 */
export const mailNow = (situation: Situation, { template: planned, failures }: PendingNotification) => {
  const { at, because } = heedQuiet(situation, situation.now);
  const template = failures > 0 ? planned : templateOf(situation, ownTemplate(situation, planned));
  const chosen = situation.effects.template;
  if (template !== planned)
    because.push(
      chosen
        ? `the rule "${chosen.rule.name}" chooses the template`
        : 'the plan of mails has another one by now',
    );
  return { at, template, because };
};

/**
 * A mail planned but not begun goes when none is to be sent, or when an urgent plan wants another, or it sooner. One
 * that a server put off keeps its time and its words.
 */
export const superseded = (situation: Situation): string | undefined => {
  const { notification } = situation.known;
  if (notification === undefined || notification.messageId !== undefined) return undefined;
  const forbidden = mailForbidden(situation);
  if (forbidden !== undefined || notification.failures > 0) return forbidden;
  const plan = planOf(situation.known);
  const wanted = mailAfter(situation, false);
  if (!isUrgent(plan) || 'refused' in wanted) return undefined;
  const same = wanted.what.template === notification.template && !isBefore(wanted.at, notification.at);
  return same ? undefined : 'another mail is called for';
};
