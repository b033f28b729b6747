import type { Recorded, RecordedEvent } from '../../events/envelope.js';
import type { EventType } from '../../events/registry.js';
import type { Category, Cohort, RecoveryEvent } from '../../events/recovery.js';
import { DAY } from '../../kernel/clock.js';
import type { Projection } from '../engine/projection.js';
import { dayOf } from '../fold.js';
import { type Counter, counters, type Deltas, recoveredBy, revenueBy, windows } from './counters.js';

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

type Of<T extends RecoveryEvent['type']> = Recorded<Extract<RecoveryEvent, { type: T }>>;
type Effects = { readonly [T in RecoveryEvent['type']]?: (event: Of<T>) => Deltas };

const given = (condition: boolean, deltas: Deltas): Deltas => (condition ? deltas : {});

const gaveUp = ({ data }: Of<'RecoveryExhausted'> | Of<'RecoveryExpired'>): Deltas => ({
  open_count: -1,
  open_amount: -data.cohort.amount,
  lost_count: 1,
  lost_amount: data.cohort.amount,
});

/** The state that a success takes the debt out of: a success after giving up turns lost into recovered. */
const left = (status: Of<'RecoverySucceeded'>['data']['previous_status'], amount: number): Deltas => {
  switch (status) {
    case 'active':
      return { open_count: -1, open_amount: -amount };
    case 'cancelled':
      return { cancelled_count: -1, cancelled_amount: -amount };
    case 'exhausted':
    case 'expired':
      return { lost_count: -1, lost_amount: -amount };
    default:
      return status satisfies never;
  }
};

const recovered = ({ data }: Of<'RecoverySucceeded'>): Deltas => {
  const { cohort, source, previous_status } = data;
  // Sums are per currency: money that came in another one settles the debt as it stood.
  const amount = data.currency === cohort.currency ? data.amount : cohort.amount;
  const age = Date.parse(data.succeeded_at) - Date.parse(cohort.opened_at);
  const within = windows
    .filter((days) => age <= days * DAY)
    .map((days): Deltas => ({ [`recovered_${days}d_count`]: 1, [`recovered_${days}d_amount`]: amount }));
  return Object.assign(
    {},
    left(previous_status, cohort.amount),
    recoveredBy(source, amount),
    ...within,
  ) as Deltas;
};

/** What an event changes in the row of the day its recovery was opened. */
const cohortEffects: Effects = {
  RecoveryStarted: ({ data: { cohort } }) => ({
    opened_count: 1,
    opened_amount: cohort.amount,
    open_count: 1,
    open_amount: cohort.amount,
  }),
  RetryStarted: ({ data }) => given(data.attempt === 1, { attempted_count: 1 }),
  NotificationSent: ({ data }) => given(data.step === 1, { notified_count: 1 }),
  RecoveryLinkOpened: () => ({ link_opened_count: 1 }),
  CheckoutOpened: ({ data }) => given(data.checkout === 1, { checkout_opened_count: 1 }),
  RecoverySucceeded: recovered,
  RecoveryExhausted: gaveUp,
  RecoveryExpired: gaveUp,
  RecoveryCancelled: ({ data: { cohort } }) => ({
    open_count: -1,
    open_amount: -cohort.amount,
    cancelled_count: 1,
    cancelled_amount: cohort.amount,
  }),
};

/** What an event changes in the row of the day it happened. */
const activityEffects: Effects = {
  RetryStarted: () => ({ attempts_started: 1 }),
  RetrySucceeded: () => ({ attempts_succeeded: 1 }),
  RetryDeclined: () => ({ attempts_declined: 1 }),
  RetryOutcomeUnknown: ({ data }) => given(data.check === 1, { attempts_unknown: 1 }),
  RecoverySucceeded: ({ data }) => revenueBy(data.source, data.amount),
};

const deltasOf = (effects: Effects, event: RecordedEvent): Deltas =>
  (effects[event.type as RecoveryEvent['type']] as ((event: RecordedEvent) => Deltas) | undefined)?.(event) ??
  {};

const cohortOf = (event: RecordedEvent): Cohort => (event.data as { cohort: Cohort }).cohort;

const cohortKey = (event: RecordedEvent): string => {
  const { opened_at, currency } = cohortOf(event);
  return `${event.metadata.org_id}/${dayOf(opened_at)}/${currency}`;
};

const activityKey = (event: RecordedEvent): string => {
  const { currency } =
    event.type === 'RecoverySucceeded' ? (event as Of<'RecoverySucceeded'>).data : cohortOf(event);
  return `${event.metadata.org_id}/${dayOf(event.metadata.occurred_at)}/${currency}`;
};

const zeros = Object.fromEntries(counters.map((counter) => [counter, 0])) as Record<Counter, number>;

const emptyRow = (key: string): AnalyticsRow => {
  const [org_id = '', day = '', currency = ''] = key.split('/');
  return { key, org_id, day, currency, declines: {}, ...zeros };
};

const add = (row: Record<Counter, number>, deltas: Deltas): void => {
  for (const [counter, delta] of Object.entries(deltas)) row[counter as Counter] += delta;
};

const project = (row: AnalyticsRow | undefined, event: RecordedEvent, key: string): AnalyticsRow => {
  const next = { ...(row ?? emptyRow(key)) };
  if (key === cohortKey(event)) add(next, deltasOf(cohortEffects, event));
  if (key !== activityKey(event)) return next;
  add(next, deltasOf(activityEffects, event));
  if (event.type !== 'RetryDeclined') return next;
  const { category } = (event as Of<'RetryDeclined'>).data;
  return { ...next, declines: { ...next.declines, [category]: (next.declines[category] ?? 0) + 1 } };
};

const touches = (effects: Effects, event: RecordedEvent): boolean =>
  Object.keys(deltasOf(effects, event)).length > 0;

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
  keysOf: (event) => [
    ...new Set([
      ...(touches(cohortEffects, event) ? [cohortKey(event)] : []),
      ...(touches(activityEffects, event) ? [activityKey(event)] : []),
    ]),
  ],
  project,
};
