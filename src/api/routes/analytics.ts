import type { Static, TSchema } from 'typebox';
import { DAY } from '../../kernel/clock.js';
import type { Db } from '../../kernel/db.js';
import { roles } from '../../kernel/principal.js';
import { analytics } from '../../projections/analytics/projection.js';
import {
  type AnalyticsArgs,
  attemptsSummary,
  funnel,
  recoveryRate,
  revenueRecovered,
  trend,
} from '../../projections/analytics/queries.js';
import { ok, type Route, route } from '../route.js';
import {
  AnalyticsQuery,
  AttemptsSummarySchema,
  FunnelSchema,
  RecoveryRateSchema,
  RevenueRecoveredSchema,
  TrendSchema,
} from '../schemas/analytics.js';
import { invalid } from '../validation.js';

const DEFAULT_DAYS = 30;
const DATE = /^(?!0000)\d{4}-\d\d-\d\d(T.+)?$/;

/** The UTC day of a date or an instant. */
const dayOf = (text: string, pointer: string): string => {
  const time = DATE.test(text) ? new Date(text) : undefined;
  if (time === undefined || Number.isNaN(time.getTime()))
    throw invalid(pointer, 'must be a date, YYYY-MM-DD or RFC 3339');
  const day = time.toISOString().slice(0, 10);
  if (text.length === 10 && day !== text) throw invalid(pointer, 'must be a date of the calendar');
  return day;
};

const argsOf = (orgId: string, query: Static<typeof AnalyticsQuery>, now: Date): AnalyticsArgs => {
  const to = query.to === undefined ? now.toISOString().slice(0, 10) : dayOf(query.to, '/query/to');
  const start = new Date(Date.parse(to) - (DEFAULT_DAYS - 1) * DAY).toISOString().slice(0, 10);
  const from = query.from === undefined ? start : dayOf(query.from, '/query/from');
  if (from > to) throw invalid('/query/from', 'must not be after `to`');
  return { orgId, from, to, currency: query.currency };
};

const report = (
  name: string,
  summary: string,
  schema: TSchema,
  ask: (db: Db, args: AnalyticsArgs) => Promise<object>,
): Route =>
  route({
    method: 'get',
    path: `/v1/analytics/${name}`,
    operationId: name,
    tag: 'Analytics',
    summary,
    description: 'Per currency; UTC days, both inclusive. docs/api.md defines the cohort.',
    access: roles,
    query: AnalyticsQuery,
    reads: analytics.table.name,
    responses: { 200: { description: 'The figures', schema } },
    handler: async ({ deps, principal, query }) =>
      ok(await ask(deps.db, argsOf(principal.orgId, query, deps.clock.now()))),
  });

export const analyticsRoutes: readonly Route[] = [
  report('recovery_rate', 'How much of what was opened has come in', RecoveryRateSchema, recoveryRate),
  report('revenue_recovered', 'What came in during the period', RevenueRecoveredSchema, revenueRecovered),
  report('attempts_summary', 'What became of our retries', AttemptsSummarySchema, attemptsSummary),
  report('funnel', 'How far the recoveries have got', FunnelSchema, funnel),
  report('trend', 'Day by day', TrendSchema, trend),
];
