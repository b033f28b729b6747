import { successSources } from '../../events/payment.js';
import type { Db } from '../../kernel/db.js';
import { selectOf } from '../read.js';
import { type Counter, counters, windows } from './counters.js';
import { analytics } from './projection.js';
import type {
  AttemptsSummary,
  BySource,
  CohortFigures,
  Figure,
  Funnel,
  FunnelStep,
  RecoveryRate,
  RevenueRecovered,
  Trend,
} from './report.js';

export interface AnalyticsArgs {
  readonly orgId: string;
  /** First day, inclusive, `YYYY-MM-DD` (UTC). */
  readonly from: string;
  /** Last day, inclusive. */
  readonly to: string;
  /** Only this currency; default: each apart. */
  readonly currency?: string | undefined;
}

/** The counters of one currency and, where grouped, one month or day. */
type Sums = Readonly<Record<Counter, number> & { currency: string; part: string }>;

const summed = (wanted: readonly Counter[]): string =>
  wanted.map((counter) => `sum(${counter})::bigint AS ${counter}`).join(', ');

/** Sums per currency and part of the period, in that order. */
const sums = async (
  db: Db,
  { orgId, from, to, currency }: AnalyticsArgs,
  part: 'month' | 'day',
  wanted: readonly Counter[],
): Promise<readonly Sums[]> => {
  const select = `currency, to_char(day, '${part === 'month' ? 'YYYY-MM' : 'YYYY-MM-DD'}') AS part, ${summed(wanted)}`;
  const rest = `AND day BETWEEN $2 AND $3 ${currency === undefined ? '' : 'AND currency = $4'}
    GROUP BY 1, 2 ORDER BY 1, 2`;
  const values = currency === undefined ? [from, to] : [from, to, currency];
  const rows = await selectOf(db, analytics.table, { orgId, select, rest, values });
  return rows.map((row) => {
    const numbers = Object.fromEntries(wanted.map((counter) => [counter, Number(row[counter])]));
    return { ...row, ...numbers } as Sums;
  });
};

const byCurrency = (rows: readonly Sums[]): [string, readonly Sums[]][] => {
  const groups = new Map<string, Sums[]>();
  for (const row of rows) {
    const group = groups.get(row.currency);
    if (group === undefined) groups.set(row.currency, [row]);
    else group.push(row);
  }
  return [...groups];
};

const startingWith = (...prefixes: string[]): readonly Counter[] =>
  counters.filter((counter) => prefixes.some((prefix) => counter.startsWith(prefix)));

const total = (rows: readonly Sums[], counter: Counter): number =>
  rows.reduce((sum, row) => sum + row[counter], 0);

const figure = (rows: readonly Sums[], name: string): Figure => ({
  count: total(rows, `${name}_count` as Counter),
  amount: total(rows, `${name}_amount` as Counter),
});

const bySource = (rows: readonly Sums[], name: 'recovered' | 'revenue'): BySource => ({
  psp_retry: figure(rows, `${name}_psp_retry`),
  our_retry: figure(rows, `${name}_our_retry`),
  link: figure(rows, `${name}_link`),
  external: figure(rows, `${name}_external`),
});

const ofAllSources = (split: BySource): Figure => ({
  count: successSources.reduce((sum, source) => sum + split[source].count, 0),
  amount: successSources.reduce((sum, source) => sum + split[source].amount, 0),
});

const rate = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;

const rates = (
  part: Figure,
  whole: Figure,
): { rate_by_count: number | null; rate_by_amount: number | null } => ({
  rate_by_count: rate(part.count, whole.count),
  rate_by_amount: rate(part.amount, whole.amount),
});

const cohortFigures = (rows: readonly Sums[]): CohortFigures => {
  const opened = figure(rows, 'opened');
  const split = bySource(rows, 'recovered');
  const recovered = ofAllSources(split);
  return {
    opened,
    recovered,
    lost: figure(rows, 'lost'),
    cancelled: figure(rows, 'cancelled'),
    open: figure(rows, 'open'),
    ...rates(recovered, opened),
    by_source: split,
    within_days: windows.map((days) => {
      const within = figure(rows, `recovered_${days}d`);
      return { days, ...within, ...rates(within, opened) };
    }),
  };
};

const stateCounters = startingWith('open', 'recovered_', 'lost_', 'cancelled_');

/** How much of what was opened in the period has come in, by now. */
export const recoveryRate = async (db: Db, args: AnalyticsArgs): Promise<RecoveryRate> => {
  const months = (await sums(db, args, 'month', stateCounters)).filter((row) => row.opened_count > 0);
  const currencies = byCurrency(months).map(([currency, rows]) => ({
    currency,
    ...cohortFigures(rows),
    by_month: rows.map((row) => ({ month: row.part, ...cohortFigures([row]) })),
  }));
  return { from: args.from, to: args.to, currencies };
};

/** What came in during the period. */
export const revenueRecovered = async (db: Db, args: AnalyticsArgs): Promise<RevenueRecovered> => {
  const figureOf = (rows: readonly Sums[]): Figure => ofAllSources(bySource(rows, 'revenue'));
  const days = await sums(db, args, 'day', startingWith('revenue_'));
  const earning = days.filter((row) => figureOf([row]).count > 0);
  const currencies = byCurrency(earning).map(([currency, rows]) => ({
    currency,
    total: figureOf(rows),
    by_source: bySource(rows, 'revenue'),
    by_day: rows.map((row) => ({ day: row.part, ...figureOf([row]) })),
  }));
  return { from: args.from, to: args.to, currencies };
};

/** Declined attempts per currency and category. */
const declines = async (db: Db, { orgId, from, to, currency }: AnalyticsArgs) => {
  const select = 'currency, d.category, sum(d.n)::bigint AS declined';
  const rest = `AND day BETWEEN $2 AND $3 ${currency === undefined ? '' : 'AND currency = $4'}
    GROUP BY 1, 2 ORDER BY 1, 2`;
  const values = currency === undefined ? [from, to] : [from, to, currency];
  const join =
    'CROSS JOIN LATERAL (SELECT key, value::bigint FROM jsonb_each_text(declines)) AS d(category, n)';
  return selectOf(db, analytics.table, { orgId, select, join, rest, values });
};

/** What became of our retries during the period. */
export const attemptsSummary = async (db: Db, args: AnalyticsArgs): Promise<AttemptsSummary> => {
  const months = await sums(db, args, 'month', startingWith('attempts_'));
  const declined = await declines(db, args);
  const summaries = byCurrency(months).map(([currency, rows]) => {
    const [succeeded, refused] = [total(rows, 'attempts_succeeded'), total(rows, 'attempts_declined')];
    const categories = declined.filter((row) => row.currency === currency);
    return {
      currency,
      started: total(rows, 'attempts_started'),
      succeeded,
      declined: refused,
      unknown: total(rows, 'attempts_unknown'),
      success_rate: rate(succeeded, succeeded + refused),
      declines_by_category: Object.fromEntries(
        categories.map((row) => [String(row.category), Number(row.declined)]),
      ),
    };
  });
  const currencies = summaries.filter(
    ({ started, succeeded, declined: refused, unknown }) => started + succeeded + refused + unknown > 0,
  );
  return { from: args.from, to: args.to, currencies };
};

const funnelCounters = startingWith('opened_', 'attempted_', 'notified_', 'link_', 'checkout_', 'recovered_');

/** How far the recoveries opened in the period have got, by now. */
export const funnel = async (db: Db, args: AnalyticsArgs): Promise<Funnel> => {
  const months = (await sums(db, args, 'month', funnelCounters)).filter((row) => row.opened_count > 0);
  const currencies = byCurrency(months).map(([currency, rows]) => {
    const opened = total(rows, 'opened_count');
    const step = (name: FunnelStep['step'], count: number): FunnelStep => ({
      step: name,
      count,
      rate: rate(count, opened),
    });
    return {
      currency,
      steps: [
        step('opened', opened),
        step('attempted', total(rows, 'attempted_count')),
        step('notified', total(rows, 'notified_count')),
        step('link_opened', total(rows, 'link_opened_count')),
        step('checkout_opened', total(rows, 'checkout_opened_count')),
        step('recovered', ofAllSources(bySource(rows, 'recovered')).count),
      ],
    };
  });
  return { from: args.from, to: args.to, currencies };
};

const trendCounters = startingWith('opened_', 'recovered_', 'revenue_');

/** Day by day: what was opened, what of it has come in by now, and what came in that day. */
export const trend = async (db: Db, args: AnalyticsArgs): Promise<Trend> => {
  const days = await sums(db, args, 'day', trendCounters);
  const points = (rows: readonly Sums[]) =>
    rows.map((row) => {
      const opened = figure([row], 'opened');
      const recovered = ofAllSources(bySource([row], 'recovered'));
      const revenue = ofAllSources(bySource([row], 'revenue'));
      return { day: row.part, opened, recovered, ...rates(recovered, opened), revenue };
    });
  const currencies = byCurrency(days)
    .map(([currency, rows]) => ({
      currency,
      points: points(rows).filter(({ opened, revenue }) => opened.count + revenue.count > 0),
    }))
    .filter((one) => one.points.length > 0);
  return { from: args.from, to: args.to, currencies };
};
