import { createHash } from 'node:crypto';
import type { Category } from '../../events/category.js';
import { DAY, type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import { nextMonthDay, nextWithinAll, spansOf } from '../../kernel/localTime.js';
import { permitFor } from '../credential/ledger.js';
import type { RuleEffects } from '../rules/match.js';
import { tablesInForceOn } from './classification/tables.js';
import { chargeOf, type Guidance } from './guidance.js';
import type { RecoveryCase } from './state.js';

/** What a plan is made from. */
export interface Situation {
  readonly known: RecoveryCase;
  readonly now: Instant;
  readonly guidance: Guidance;
  readonly effects: RuleEffects;
  /** Attempts on the payment method that the networks count now, by the limit's name. */
  readonly used: Readonly<Record<string, number>>;
}

/** `because`: what set the time, in the order in which it did. */
export type Planned<T> =
  | { readonly at: Instant; readonly what: T; readonly because: readonly string[] }
  | { readonly refused: string };

/** 0 ≤ jitter < 1, the same for the same attempt of the same recovery. */
const jitter = (seed: string, attempt: number): number =>
  createHash('sha256').update(`${seed}:${attempt}`).digest().readUInt32BE(0) / 2 ** 32;

/** A payday is waited for that many days more, and not beyond a week in all. */
const PAYDAY_WITHIN_DAYS = 4;
const LONGEST_WAIT_FOR_PAYDAY = 7;

/** Days are told as days, an hour and less to the minute. */
const spoken = (minutes: number): string => {
  if (minutes % 1440 === 0) return minutes === 1440 ? 'a day' : `${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'an hour' : `${minutes / 60} hours`;
  return minutes < 1.5 ? 'a minute' : `${Math.round(minutes)} minutes`;
};

/**
 * The policy as a rule changes it. A rule's first wait goes before the waits that are listed for the category, its longest
 * one caps them, and its multiplier leaves them as they are.
 */
const policyOf = ({ known: { policy, classification }, effects }: Situation) => {
  const change = effects.policy?.value ?? {};
  const own = policy.categories?.[classification.category] ?? {};
  const { initial_delay_minutes: first, max_delay_minutes: longest = Infinity } = change;
  return {
    ...policy,
    ...(own.max_retries !== undefined && { max_retries: own.max_retries }),
    ...change,
    waits: first === undefined ? own.waits_minutes?.map((wait) => Math.min(wait, longest)) : undefined,
  };
};
type Policy = Pick<
  RecoveryCase['policy'],
  'initial_delay_minutes' | 'backoff_multiplier' | 'max_delay_minutes'
> & { readonly waits?: readonly number[] | undefined };

/** Minutes before an attempt: as listed for the category, else exponential and capped. */
const minutesBefore = (policy: Policy, attempt: number): number =>
  policy.waits?.[Math.min(attempt, policy.waits.length) - 1] ??
  Math.min(
    policy.initial_delay_minutes * policy.backoff_multiplier ** (attempt - 1),
    policy.max_delay_minutes,
  );

/**
 * The wait before an attempt in milliseconds: up to a tenth shorter, so that a batch of failures spreads out; longer
 * where it is a limit that has to pass.
 */
export const backoff = (policy: Policy, seed: string, attempt: number, category?: Category): number => {
  const tenth = jitter(seed, attempt) / 10;
  const spread = category === 'velocity_limit' ? 1 + tenth : 1 - tenth;
  return Math.round(minutesBefore(policy, attempt) * MINUTE * spread);
};

/** The most retries that the tables of the day allow after what the recovery's decline says, whatever a policy allows. */
const capOf = ({ known, now }: Situation): number =>
  tablesInForceOn(now).retryCaps[known.classification.category] ?? Infinity;

/** Where it is not the payment method that has to change. */
const untilChanged: Readonly<Partial<Record<Category, string>>> = {
  pending_unknown:
    'it is not decided yet whether the payment came in: another charge could take the money twice',
  duplicate: 'the charge was probably made already: another one could take the money twice',
  merchant_config: "nothing can be charged before the merchant's set-up or the order is put right",
  psp_blocked: 'nothing can be charged before the merchant has reviewed it at the PSP',
  authentication_required: 'the bank wants the customer to confirm the payment',
};

/** Why the same method is not charged again at all. */
const refusalOf = (
  situation: Situation,
  { max_retries }: { readonly max_retries: number },
): string | undefined => {
  const { known, guidance, effects } = situation;
  const { category, retry } = known.classification;
  const used = known.attempts - known.refused;
  const { perCase } = guidance.limits;
  const { country, brand } = guidance.circumstances;
  if (known.scheduled !== undefined) return 'one is scheduled';
  if (retry === 'never') return 'the network or the issuer forbids another attempt';
  if (retry === 'after_change')
    return untilChanged[category] ?? 'the same method cannot succeed before something changes';
  if (!known.chargeable) return 'the PSP has nothing on file that could be charged';
  if (known.pspRetries === 'to_stop') return 'the PSP is first told to stop its own retries';
  if (known.pspRetries === 'watched') return 'the PSP retries by itself, and is left to it';
  if (known.pspRetries === 'gave_up') return 'the PSP retried by itself, and gave up';
  if ((country === 'IN' || brand === 'rupay') && brand !== 'upi')
    return 'a card of India is debited only after a notice of 24 hours, which the customer has not had';
  if (effects.skip_retries) return `the rule "${effects.skip_retries.rule.name}" skips retries`;
  if (used >= max_retries) return 'the policy allows no further attempt';
  if (used >= capOf(situation)) return `no further attempt for ${category}`;
  if (used >= perCase) return `no payment is tried more than ${perCase} times`;
  return undefined;
};

/** As many as policy, rules, category and limits together leave. */
export const retriesAllowed = (situation: Situation): number =>
  Math.min(policyOf(situation).max_retries, capOf(situation), situation.guidance.limits.perCase);

/** A time that only moves on, and what moved it. */
const timeline = (start: Instant, why: string) => {
  const told = [why];
  let at = start;
  return {
    at: () => at,
    told,
    to: (later: Instant | undefined, reason: string) => {
      if (later === undefined || !isBefore(at, later)) return;
      at = later;
      told.push(reason);
    },
  };
};

/** What a wait comes from, where it is not the policy's own backoff. */
const sourceOf = (situation: Situation, policy: Policy, attempt: number): string => {
  const { effects, known } = situation;
  const { policy: chosen, ...others } = effects;
  const minutes = minutesBefore(policy, attempt);
  const isRules =
    chosen?.value.initial_delay_minutes !== undefined ||
    minutes !== minutesBefore(policyOf({ ...situation, effects: others }), attempt);
  if (chosen === undefined || !isRules)
    return policy.waits ? `, as set for ${known.classification.category.replaceAll('_', ' ')}` : '';
  const wanted = minutesBefore({ ...policy, max_delay_minutes: Infinity }, attempt);
  return minutes < wanted && chosen.value.max_delay_minutes === undefined
    ? `, the longest that the policy allows: the rule "${chosen.rule.name}" sets ${spoken(wanted)}`
    : `, as the rule "${chosen.rule.name}" sets it`;
};

const NETWORK_WAITS = 'the network asks to wait that long';

type Settings = ReturnType<typeof policyOf>;

const zoneOf = ({ guidance }: Situation, policy: Settings): string | undefined =>
  guidance.circumstances.timezone ?? policy.timezone;

/** A wait that the network asks for goes before the one that is listed for the category. */
const afterWait = (situation: Situation, policy: Settings, attempt: number) => {
  const { known, now, effects } = situation;
  const { category, earliest_at } = known.classification;
  const minutes = minutesBefore(policy, attempt);
  const told = policy.waits !== undefined && earliest_at !== undefined && isBefore(now, earliest_at);
  const line = told
    ? timeline(earliest_at, NETWORK_WAITS)
    : timeline(
        plus(now, backoff(policy, known.paymentId, attempt, category)),
        `waits ${spoken(minutes)} before attempt ${attempt}${sourceOf(situation, policy, attempt)}`,
      );
  line.to(earliest_at, NETWORK_WAITS);
  if (effects.delay_minutes)
    line.to(
      plus(now, effects.delay_minutes.value * MINUTE),
      `the rule "${effects.delay_minutes.rule.name}" delays it`,
    );
  if (category === 'insufficient_funds' && policy.payday_days && !told) {
    const left = LONGEST_WAIT_FOR_PAYDAY - Math.floor(minutes / 1440);
    const within = Math.min(PAYDAY_WITHIN_DAYS, left);
    const zone = zoneOf(situation, policy) ?? 'UTC';
    line.to(nextMonthDay(line.at(), zone, policy.payday_days, within), 'a payday is near');
  }
  return line;
};

/** What was put off when its time had come has waited already. */
const wantedTime = (situation: Situation, policy: Settings, attempt: number) => {
  const { known, now } = situation;
  if (known.waited !== attempt) return afterWait(situation, policy, attempt);
  const line = timeline(now, `its wait before attempt ${attempt} is over`);
  line.to(known.classification.earliest_at, NETWORK_WAITS);
  return line;
};

const SCHEME_HOURS = 'the scheme takes attempts then';

/** The hours that the policy prefers give way to those of the scheme where the two never meet. */
const heedHours = (
  situation: Situation,
  policy: Settings,
  line: ReturnType<typeof timeline>,
  spread: number,
): void => {
  const { known, guidance } = situation;
  const { preferred_hours: hours } = policy;
  const zone = zoneOf(situation, policy);
  const scheme = guidance.limits.openHours[guidance.circumstances.brand];
  const open = scheme && [{ zone: scheme.timezone, spans: scheme.open }];
  if (hours && zone !== undefined && known.classification.category !== 'network_error') {
    const preferred = { zone, spans: spansOf(hours.from, hours.to) };
    const both = nextWithinAll(line.at(), [preferred, ...(open ?? [])], spread);
    const why = `charged from ${hours.from} to ${hours.to} o'clock local time`;
    line.to(both, open ? `${why}, and ${SCHEME_HOURS}` : why);
  }
  if (open) line.to(nextWithinAll(line.at(), open, spread), SCHEME_HOURS);
};

const tooLate = ({ known }: Situation, { max_days: days }: Settings, at: Instant): string | undefined =>
  days !== undefined && isBefore(plus(known.cohort.opened_at, days * DAY), at)
    ? `the policy allows no attempt later than ${days} days`
    : undefined;

/** Why a charge whose time has come is not made at this very instant; undefined where that is as good as any. */
export const untimely = (situation: Situation): string | undefined => {
  const { now } = situation;
  const policy = policyOf(situation);
  const line = timeline(now, 'now');
  heedHours(situation, policy, line, 0);
  return tooLate(situation, policy, now) ?? (line.at() === now ? undefined : line.told.at(-1));
};

/** Why a charge that is planned must not be made as things stand now; undefined where nothing forbids it. */
export const forbids = (situation: Situation): string | undefined => {
  const { scheduled: _, ...known } = situation.known;
  const bare = { ...situation, known };
  const refused = refusalOf(bare, policyOf(bare));
  if (refused !== undefined) return refused;
  const { ledger, limits, circumstances } = situation.guidance;
  const permit = permitFor(ledger, chargeOf(known, circumstances), situation.now, limits);
  return 'refused' in permit ? permit.refused : undefined;
};

/** When the same method is charged again, or why it is not. */
export const planRetry = (situation: Situation): Planned<number> => {
  const { known, guidance } = situation;
  const policy = policyOf(situation);
  const refused = refusalOf(situation, policy);
  if (refused !== undefined) return { refused };
  const attempt = known.attempts + 1;
  const spread = known.waited === attempt ? 0 : jitter(known.paymentId, attempt);
  const line = wantedTime(situation, policy, attempt);
  const charge = chargeOf(known, guidance.circumstances);
  const permit = permitFor(guidance.ledger, charge, line.at(), guidance.limits);
  if ('refused' in permit) return permit;
  line.to(permit.at, permit.waitsFor ?? '');
  heedHours(situation, policy, line, spread);
  const at = line.at();
  const late = tooLate(situation, policy, at);
  if (late !== undefined) return { refused: late };
  return isBefore(at, known.expiresAt)
    ? { at, what: attempt, because: line.told }
    : { refused: 'the recovery ends before the next attempt' };
};
