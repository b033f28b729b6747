import type { Fact, FactOf } from '../../events/envelope.js';
import type { EventType } from '../../events/registry.js';
import type { Category, Cohort, RecoveryEvent } from '../../events/recovery.js';
import { DAY } from '../../kernel/clock.js';
import type { Draft, Projection } from '../engine/projection.js';
import { dayOf } from '../fold.js';
import { type Counter, counters, windows } from './counters.js';

/** One organization, one UTC day, one currency. */
export type AnalyticsRow = Readonly<
  {
    /** `<org>/<day>/<currency>` */
    key: string;
    org_id: string;
    day: string;
    currency: string;
    /** Declined attempts of the day by category. */
    declines: Readonly<Partial<Record<Category, number>>>;
  } & Record<Counter, number>
>;

type Of<T extends RecoveryEvent['type']> = FactOf<Extract<RecoveryEvent, { type: T }>>;
type Counts = Record<Counter, number>;

/** What an event adds to a row; `when` says whether it does at all. */
interface Effect<E> {
  readonly when?: (event: E) => boolean;
  readonly add: (counts: Counts, event: E) => void;
}
type Effects = { readonly [T in RecoveryEvent['type']]?: Effect<Of<T>> };

const gaveUp: Effect<Of<'RecoveryExhausted'> | Of<'RecoveryExpired'>> = {
  add: (counts, { data: { cohort } }) => {
    counts.open_count -= 1;
    counts.open_amount -= cohort.amount;
    counts.lost_count += 1;
    counts.lost_amount += cohort.amount;
  },
};

/** The state that a success takes the debt out of: a success after giving up turns lost into recovered. */
const leaves = { active: 'open', cancelled: 'cancelled', exhausted: 'lost', expired: 'lost' } as const;

const recovered: Effect<Of<'RecoverySucceeded'>> = {
  add: (counts, { data }) => {
    const { cohort, source, previous_status } = data;
    const left = leaves[previous_status];
    counts[`${left}_count`] -= 1;
    counts[`${left}_amount`] -= cohort.amount;
    // Sums are per currency: money that came in another one settles the debt as it stood.
    const amount = data.currency === cohort.currency ? data.amount : cohort.amount;
    counts[`recovered_${source}_count`] += 1;
    counts[`recovered_${source}_amount`] += amount;
    const age = Date.parse(data.succeeded_at) - Date.parse(cohort.opened_at);
    for (const days of windows) {
      if (age > days * DAY) continue;
      counts[`recovered_${days}d_count`] += 1;
      counts[`recovered_${days}d_amount`] += amount;
    }
  },
};

/** What an event changes in the row of the day its recovery was opened. */
const cohortEffects: Effects = {
  RecoveryStarted: {
    add: (counts, { data: { cohort } }) => {
      counts.opened_count += 1;
      counts.opened_amount += cohort.amount;
      counts.open_count += 1;
      counts.open_amount += cohort.amount;
    },
  },
  RetryStarted: { when: ({ data }) => data.attempt === 1, add: (counts) => (counts.attempted_count += 1) },
  NotificationSent: { when: ({ data }) => data.step === 1, add: (counts) => (counts.notified_count += 1) },
  RecoveryLinkOpened: { add: (counts) => (counts.link_opened_count += 1) },
  CheckoutOpened: {
    when: ({ data }) => data.checkout === 1,
    add: (counts) => (counts.checkout_opened_count += 1),
  },
  RecoverySucceeded: recovered,
  RecoveryExhausted: gaveUp,
  RecoveryExpired: gaveUp,
  RecoveryCancelled: {
    add: (counts, { data: { cohort } }) => {
      counts.open_count -= 1;
      counts.open_amount -= cohort.amount;
      counts.cancelled_count += 1;
      counts.cancelled_amount += cohort.amount;
    },
  },
};

/** What an event changes in the row of the day it happened. */
const activityEffects: Effects = {
  RetryStarted: { add: (counts) => (counts.attempts_started += 1) },
  RetrySucceeded: { add: (counts) => (counts.attempts_succeeded += 1) },
  RetryDeclined: { add: (counts) => (counts.attempts_declined += 1) },
  RetryOutcomeUnknown: {
    when: ({ data }) => data.check === 1,
    add: (counts) => (counts.attempts_unknown += 1),
  },
  RecoverySucceeded: {
    add: (counts, { data: { source, amount } }) => {
      counts[`revenue_${source}_count`] += 1;
      counts[`revenue_${source}_amount`] += amount;
    },
  },
};

const effectOf = (effects: Effects, event: Fact): Effect<Fact> | undefined => {
  const effect = effects[event.type as RecoveryEvent['type']] as Effect<Fact> | undefined;
  return effect?.when?.(event) === false ? undefined : effect;
};

const cohortOf = (event: Fact): Cohort => (event.data as { cohort: Cohort }).cohort;

const cohortKey = (event: Fact): string => {
  const { opened_at, currency } = cohortOf(event);
  return `${event.metadata.org_id}/${dayOf(opened_at)}/${currency}`;
};

const activityKey = (event: Fact): string => {
  const { currency } =
    event.type === 'RecoverySucceeded' ? (event as Of<'RecoverySucceeded'>).data : cohortOf(event);
  return `${event.metadata.org_id}/${dayOf(event.metadata.occurred_at)}/${currency}`;
};

const zeros = Object.fromEntries(counters.map((counter) => [counter, 0])) as Record<Counter, number>;

const emptyRow = (key: string): Draft<AnalyticsRow> => {
  const [org_id = '', day = '', currency = ''] = key.split('/');
  return { key, org_id, day, currency, declines: {}, ...zeros };
};

const project = (row: Draft<AnalyticsRow> | undefined, event: Fact, key: string): AnalyticsRow => {
  const next = row ?? emptyRow(key);
  if (key === cohortKey(event)) effectOf(cohortEffects, event)?.add(next, event);
  if (key !== activityKey(event)) return next;
  effectOf(activityEffects, event)?.add(next, event);
  if (event.type !== 'RetryDeclined') return next;
  const { category } = (event as Of<'RetryDeclined'>).data;
  next.declines = { ...next.declines, [category]: (next.declines[category] ?? 0) + 1 };
  return next;
};

const keysOf = (event: Fact): readonly string[] => {
  const keys: string[] = [];
  if (effectOf(cohortEffects, event)) keys.push(cohortKey(event));
  if (effectOf(activityEffects, event)) keys.push(activityKey(event));
  return keys[0] === keys[1] ? keys.slice(1) : keys;
};

/**
 * Daily rollups, one row per organization, UTC day and currency, with two kinds of counters: those of the cohort of
 * recoveries opened that day, whatever happened to them later, and those of what happened that day. One event may so
 * touch two rows.
 */
export const analytics: Projection<AnalyticsRow> = {
  version: 1,
  table: {
    name: 'analytics_daily',
    columns: {
      key: 'text',
      org_id: 'uuid',
      day: 'date',
      currency: 'text',
      declines: 'jsonb',
      ...(Object.fromEntries(counters.map((counter) => [counter, 'bigint'])) as Record<Counter, 'bigint'>),
    },
    indexes: [['org_id', 'day', 'currency']],
  },
  events: [...new Set([...Object.keys(cohortEffects), ...Object.keys(activityEffects)])] as EventType[],
  keysOf,
  project,
};
