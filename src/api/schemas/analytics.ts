import { Type, type TSchema } from 'typebox';
import { closed, enumOf, named, nullable } from './common.js';

const Day = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\d$', description: 'A UTC day, YYYY-MM-DD' });
const Rate = nullable(Type.Number());

export const AnalyticsQuery = closed({
  from: Type.Optional(
    Type.String({ maxLength: 40, description: 'First day (YYYY-MM-DD or RFC 3339); default: 30 days ago' }),
  ),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'Last day, inclusive; default: today' })),
  currency: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' })),
});

const Figure = named('Figure', {
  count: Type.Integer(),
  amount: Type.Integer({ description: 'Minor units' }),
});
const BySource = named('BySource', { psp_retry: Figure, our_retry: Figure, link: Figure, external: Figure });
const rates = { rate_by_count: Rate, rate_by_amount: Rate } as const;
const cohort = {
  opened: Figure,
  recovered: Figure,
  lost: Figure,
  cancelled: Figure,
  open: Figure,
  ...rates,
  by_source: BySource,
  within_days: Type.Array(closed({ days: Type.Integer(), ...Figure.properties, ...rates })),
} as const;

const perCurrency = (title: string, properties: Record<string, TSchema>): TSchema =>
  named(title, {
    from: Day,
    to: Day,
    currencies: Type.Array(closed({ currency: Type.String(), ...properties })),
  });

export const RecoveryRateSchema = perCurrency('RecoveryRate', {
  ...cohort,
  by_month: Type.Array(closed({ month: Type.String(), ...cohort })),
});
export const RevenueRecoveredSchema = perCurrency('RevenueRecovered', {
  total: Figure,
  by_source: BySource,
  by_day: Type.Array(closed({ day: Day, ...Figure.properties })),
});
export const AttemptsSummarySchema = perCurrency('AttemptsSummary', {
  started: Type.Integer(),
  succeeded: Type.Integer(),
  declined: Type.Integer(),
  unknown: Type.Integer(),
  success_rate: Rate,
  declines_by_category: Type.Record(Type.String(), Type.Integer()),
});
export const FunnelSchema = perCurrency('Funnel', {
  steps: Type.Array(
    closed({
      step: enumOf(['opened', 'attempted', 'notified', 'link_opened', 'checkout_opened', 'recovered']),
      count: Type.Integer(),
      rate: Rate,
    }),
  ),
});
export const TrendSchema = perCurrency('Trend', {
  points: Type.Array(closed({ day: Day, opened: Figure, recovered: Figure, ...rates, revenue: Figure })),
});
