import type { Static, TSchema } from 'typebox';
import { DAY, FIRST_INSTANT, instantOf, plus } from '../../kernel/clock.js';
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
const FIRST_DAY = FIRST_INSTANT.slice(0, 10);

/** The UTC day of a date or an instant. */
const dayOf = (text: string, pointer: string): string => {
  const at = instantOf(text.length === 10 ? `${text}T00:00:00Z` : text);
  if (at === undefined) throw invalid(pointer, 'must be a date, YYYY-MM-DD or RFC 3339');
  return at.slice(0, 10);
};

const daysBefore = (day: string, days: number): string => {
  const earlier = plus(day, -days * DAY).slice(0, 10);
  return earlier < FIRST_DAY ? FIRST_DAY : earlier;
};

const argsOf = (orgId: string, query: Static<typeof AnalyticsQuery>, now: Date): AnalyticsArgs => {
  const to = query.to === undefined ? now.toISOString().slice(0, 10) : dayOf(query.to, '/query/to');
  const from = query.from === undefined ? daysBefore(to, DEFAULT_DAYS - 1) : dayOf(query.from, '/query/from');
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
