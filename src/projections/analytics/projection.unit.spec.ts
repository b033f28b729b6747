import { expect } from 'chai';
import { DAY } from '../../kernel/clock.js';
import { given, rowsOf } from '../../../test/support/projectionSpec.js';
import { classified, day, EXPIRES, OPENED, ORG, told } from '../../../test/support/recoveryEvents.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import type { AttemptView, RecoveryRow } from '../recoveries/row.js';
import { recoveries } from '../recoveries/projection.js';
import { type Counter, counters } from './counters.js';
import { analytics, type AnalyticsRow } from './projection.js';

const keyOf = (date: string) => `${ORG}/${date}/EUR`;
const COHORT = keyOf('2026-03-01');

/** The counters that are not zero. */
const counted = (row: object | undefined): object =>
  Object.fromEntries(
    Object.entries(row ?? {}).filter(([name, n]) => counters.includes(name as Counter) && n !== 0),
  );

const opened = { opened_count: 1, opened_amount: 5_000 };
const open = { open_count: 1, open_amount: 5_000 };
const after = (...events: Parameters<typeof given>[1][]) => given(analytics, told.started(), ...events);

describe('analytics', () => {
  it('counts an opening on its day, as still open', () => {
    const spec = after();
    spec.thenRows(1);
    spec.thenRow(COHORT, { key: COHORT, org_id: ORG, day: '2026-03-01', currency: 'EUR', declines: {} });
    expect(counted(spec.row(COHORT))).to.deep.equal({ ...opened, ...open });
  });

  it('counts attempts on the day they happened, and the first in its cohort', () => {
    const spec = after(
      told.retryStarted(day(2), 1),
      told.retryUnknown(day(2), 1, 1, day(3)),
      told.retryUnknown(day(3), 1, 2, day(3)),
      told.retryDeclined(day(3), 1, classified.soft),
      told.retryStarted(day(3), 2),
      told.retryDeclined(day(3), 2, classified.hard),
      told.retryStarted(day(3), 3),
      told.retrySucceeded(day(3), 3),
    );
    expect(counted(spec.row(COHORT))).to.deep.equal({ ...opened, ...open, attempted_count: 1 });
    expect(counted(spec.row(keyOf('2026-03-02')))).to.deep.equal({
      attempts_started: 1,
      attempts_unknown: 1,
    });
    expect(counted(spec.row(keyOf('2026-03-03')))).to.deep.equal({
      attempts_started: 2,
      attempts_succeeded: 1,
      attempts_declined: 2,
    });
    spec.thenRow(keyOf('2026-03-03'), { declines: { insufficient_funds: 1, card_data_invalid: 1 } });
  });

  it('counts each step of the funnel once', () => {
    const spec = after(
      told.mailSent(day(2), 1),
      told.mailSent(day(4), 2),
      told.linkOpened(day(5)),
      told.checkoutOpened(day(5), 1),
      told.checkoutOpened(day(6), 2),
    );
    spec.thenRows(1);
    expect(counted(spec.row(COHORT))).to.deep.equal({
      ...opened,
      ...open,
      notified_count: 1,
      link_opened_count: 1,
      checkout_opened_count: 1,
    });
  });

  const within = (...windows: number[]) =>
    Object.fromEntries(
      windows.flatMap((days) => [
        [`recovered_${days}d_count`, 1],
        [`recovered_${days}d_amount`, 5_000],
      ]),
    ) as object;
  const recoveredBy = (source: string) => ({
    [`recovered_${source}_count`]: 1,
    [`recovered_${source}_amount`]: 5_000,
  });
  const revenueBy = (source: string) => ({
    [`revenue_${source}_count`]: 1,
    [`revenue_${source}_amount`]: 5_000,
  });

  for (const source of ['psp_retry', 'our_retry', 'link', 'external'])
    it(`counts money that came by ${source}, in its cohort and on its day`, () => {
      const spec = after(told.succeeded(day(11), source));
      expect(counted(spec.row(COHORT))).to.deep.equal({
        ...opened,
        ...recoveredBy(source),
        ...within(10, 30, 60),
      });
      expect(counted(spec.row(keyOf('2026-03-11')))).to.deep.equal(revenueBy(source));
    });

  it('counts both in one row when they are one day', () =>
    expect(counted(after(told.succeeded(OPENED, 'link')).row(COHORT))).to.deep.equal({
      ...opened,
      ...recoveredBy('link'),
      ...revenueBy('link'),
      ...within(10, 30, 60),
    }));

  it('tells within how many days, to the instant', () => {
    const at = (days: number, ms = 0) => new Date(Date.parse(OPENED) + days * DAY + ms).toISOString();
    const cohortAfter = (when: string) => counted(after(told.succeeded(when, 'link')).row(COHORT));
    expect(cohortAfter(at(10))).to.include(within(10, 30, 60));
    expect(cohortAfter(at(10, 1))).to.deep.equal({ ...opened, ...recoveredBy('link'), ...within(30, 60) });
    expect(cohortAfter(at(30, 1))).to.deep.equal({ ...opened, ...recoveredBy('link'), ...within(60) });
    expect(cohortAfter(at(60, 1))).to.deep.equal({ ...opened, ...recoveredBy('link') });
  });

  const lost = { lost_count: 1, lost_amount: 5_000 };
  const cancelled = { cancelled_count: 1, cancelled_amount: 5_000 };
  for (const [status, ending, state] of [
    ['exhausted', told.exhausted(day(9)), lost],
    ['expired', told.expired(EXPIRES), lost],
    ['cancelled', told.cancelled(day(9)), cancelled],
  ] as const) {
    it(`moves an ${status} one out of the open ones`, () =>
      expect(counted(after(ending).row(COHORT))).to.deep.equal({ ...opened, ...state }));
    it(`moves an ${status} one to the recovered when the money comes in after all`, () =>
      expect(counted(after(ending, told.succeeded(day(10), 'external', status)).row(COHORT))).to.deep.equal({
        ...opened,
        ...recoveredBy('external'),
        ...within(10, 30, 60),
      }));
  }

  it('touches no row for what it does not count', () => {
    expect(analytics.keysOf(told.mailSent(day(2), 2))).to.deep.equal([]);
    expect(analytics.keysOf(told.checkoutOpened(day(2), 2))).to.deep.equal([]);
    expect(analytics.keysOf(told.retryUnknown(day(2), 1, 2, day(3)))).to.deep.equal([]);
  });
});

/* The same totals, taken the slow way from the recoveries themselves. */

type Tally = Map<string, Record<string, number>>;

const tally = (into: Tally, key: string, counter: string, by = 1): void => {
  const row = into.get(key) ?? {};
  row[counter] = (row[counter] ?? 0) + by;
  into.set(key, row);
};

const figure = (into: Tally, key: string, name: string, amount: number): void => {
  tally(into, key, `${name}_count`);
  tally(into, key, `${name}_amount`, amount);
};

const stateOf = { active: 'open', exhausted: 'lost', expired: 'lost', cancelled: 'cancelled' } as const;

const tallyCohort = (into: Tally, key: string, row: RecoveryRow): void => {
  figure(into, key, 'opened', row.amount);
  if (row.status !== 'succeeded') figure(into, key, stateOf[row.status], row.amount);
  else {
    figure(into, key, `recovered_${row.source}`, row.recovered_amount ?? 0);
    for (const days of [10, 30, 60])
      if (Date.parse(row.closed_at ?? '') - Date.parse(row.opened_at) <= days * DAY)
        figure(into, key, `recovered_${days}d`, row.recovered_amount ?? 0);
  }
  if (row.attempts.some(({ started_at }) => started_at !== null)) tally(into, key, 'attempted_count');
  if (row.notifications.some(({ status }) => status === 'sent')) tally(into, key, 'notified_count');
  if (row.link_opened_at !== null) tally(into, key, 'link_opened_count');
  if (row.checkouts > 0) tally(into, key, 'checkout_opened_count');
};

const tallyAttempt = (into: Tally, keyOn: (at: string | null) => string, attempt: AttemptView): void => {
  if (attempt.started_at === null) return;
  tally(into, keyOn(attempt.started_at), 'attempts_started');
  // Every history learns at once, on the day of the start, that it does not know.
  if (attempt.unknown_outcomes > 0) tally(into, keyOn(attempt.started_at), 'attempts_unknown');
  if (attempt.status === 'succeeded') tally(into, keyOn(attempt.settled_at), 'attempts_succeeded');
  if (attempt.status !== 'declined') return;
  tally(into, keyOn(attempt.settled_at), 'attempts_declined');
  tally(into, keyOn(attempt.settled_at), `declined ${attempt.category}`);
};

const naive = (rows: readonly RecoveryRow[]): Tally => {
  const into: Tally = new Map();
  for (const row of rows) {
    const keyOn = (at: string | null) => `${row.org_id}/${(at ?? '').slice(0, 10)}/${row.currency}`;
    tallyCohort(into, keyOn(row.opened_at), row);
    for (const attempt of row.attempts) tallyAttempt(into, keyOn, attempt);
    if (row.status === 'succeeded')
      figure(into, keyOn(row.closed_at), `revenue_${row.source}`, row.recovered_amount ?? 0);
  }
  return into;
};

const ofRollup = (row: AnalyticsRow): Record<string, number> => ({
  ...(counted(row) as Record<string, number>),
  ...Object.fromEntries(Object.entries(row.declines).map(([category, n]) => [`declined ${category}`, n])),
});

describe('analytics over random histories', () => {
  for (const seed of [1, 2, 3])
    it(`equal what the recoveries tell, per organization, day and currency (seed ${seed})`, () => {
      const events = recoveryHistories({ seed, recoveries: 200 });
      const rows = [...rowsOf(recoveries, events).values()] as unknown as RecoveryRow[];
      const rollups = [...rowsOf(analytics, events).values()] as unknown as AnalyticsRow[];
      const seen = rollups.map((row) => [row.key, ofRollup(row)] as const);
      const told = Object.fromEntries(seen.filter(([, row]) => Object.keys(row).length > 0));
      expect(told).to.deep.equal(Object.fromEntries(naive(rows)));
    });
});
