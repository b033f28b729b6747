/*
 * The answers of the analytics endpoints. Days are UTC days. Sums are per currency and never across currencies;
 * amounts are integer minor units. Rates are fractions rounded to four places, null where there is nothing to divide
 * by; one by amount exceeds 1 where more came in than was owed. A "cohort" is every recovery opened within the period: those still open stay in the
 * denominator. Amounts that came in are gross: refunds and disputes are not recorded.
 */

export interface Figure {
  /** How many recoveries (or receipts, where revenue is told). */
  count: number;
  /** Their sum in minor units. */
  amount: number;
}

/** Split by who brought the money in. */
export interface BySource {
  /** The PSP's own retry. */
  psp_retry: Figure;
  /** A retry that this system made. */
  our_retry: Figure;
  /** The customer, by the link in a recovery mail. */
  link: Figure;
  /** Anything else: the customer or the merchant elsewhere. */
  external: Figure;
}

export interface WithinDays extends Figure {
  /** 10, 30 or 60 days from each recovery's opening. A cohort younger than that can still grow. */
  days: number;
  /** Recovered within those days by count, divided by all opened. */
  rate_by_count: number | null;
  /** Amount that came in within those days, divided by the amount of all opened. */
  rate_by_amount: number | null;
}

export interface CohortFigures {
  /** Every recovery opened in the period: the denominator. Amount: the debts. */
  opened: Figure;
  /** Those whose money came in by now, also after they were given up. Amount: what came in. */
  recovered: Figure;
  /** Those given up: exhausted or expired. Amount: the debts. */
  lost: Figure;
  /** Those cancelled. Amount: the debts. */
  cancelled: Figure;
  /** Those still under way. Amount: the debts. */
  open: Figure;
  /** recovered.count / opened.count */
  rate_by_count: number | null;
  /** recovered.amount / opened.amount */
  rate_by_amount: number | null;
  /** `recovered`, split by who brought the money in. */
  by_source: BySource;
  /** Recovered within 10, 30 and 60 days of the opening. */
  within_days: WithinDays[];
}

export interface MonthCohort extends CohortFigures {
  /** The month of opening, `YYYY-MM`; only its days within the period count. */
  month: string;
}

export interface RecoveryRateOfCurrency extends CohortFigures {
  /** ISO 4217. */
  currency: string;
  /** The same figures by month of opening, oldest first; months without an opening are absent. */
  by_month: MonthCohort[];
}

export interface Period {
  /** First day, inclusive, `YYYY-MM-DD` (UTC). */
  from: string;
  /** Last day, inclusive. */
  to: string;
}

export interface RecoveryRate extends Period {
  /** One entry per currency in which a recovery was opened, by code. */
  currencies: RecoveryRateOfCurrency[];
}

export interface RevenueDay extends Figure {
  /** The UTC day on which the money was recorded. */
  day: string;
}

export interface RevenueOfCurrency {
  /** ISO 4217. */
  currency: string;
  /** What came in during the period, whenever its recovery was opened. */
  total: Figure;
  /** `total`, split by who brought the money in. */
  by_source: BySource;
  /** `total` by day, oldest first; days without revenue are absent. */
  by_day: RevenueDay[];
}

export interface RevenueRecovered extends Period {
  /** One entry per currency in which money came in, by code. */
  currencies: RevenueOfCurrency[];
}

export interface AttemptsOfCurrency {
  /** ISO 4217. */
  currency: string;
  /** Retries of ours begun during the period. */
  started: number;
  /** Retries whose success was recorded during the period. */
  succeeded: number;
  /** Retries whose decline was recorded during the period. */
  declined: number;
  /** Retries whose outcome the PSP did not tell at first; once told they count above as well. */
  unknown: number;
  /** succeeded / (succeeded + declined) */
  success_rate: number | null;
  /** `declined` by the category of the decline; categories without one are absent. */
  declines_by_category: Record<string, number>;
}

export interface AttemptsSummary extends Period {
  /** One entry per currency with an attempt, by code. */
  currencies: AttemptsOfCurrency[];
}

export interface FunnelStep {
  /** How far: opened, attempted, notified, link_opened, checkout_opened, recovered. */
  step: 'opened' | 'attempted' | 'notified' | 'link_opened' | 'checkout_opened' | 'recovered';
  /** Recoveries of the cohort that got there at least once, by now. Steps are counted apart: one can be skipped. */
  count: number;
  /** count / opened */
  rate: number | null;
}

export interface FunnelOfCurrency {
  /** ISO 4217. */
  currency: string;
  steps: FunnelStep[];
}

export interface Funnel extends Period {
  /** One entry per currency in which a recovery was opened, by code. */
  currencies: FunnelOfCurrency[];
}

export interface TrendPoint {
  /** UTC day. */
  day: string;
  /** Recoveries opened that day. Amount: the debts. */
  opened: Figure;
  /** Those of them recovered by now. Amount: what came in. */
  recovered: Figure;
  /** recovered.count / opened.count */
  rate_by_count: number | null;
  /** recovered.amount / opened.amount */
  rate_by_amount: number | null;
  /** What came in on that day, whenever its recovery was opened. */
  revenue: Figure;
}

export interface TrendOfCurrency {
  /** ISO 4217. */
  currency: string;
  /** Oldest first; days on which nothing was opened or came in are absent. */
  points: TrendPoint[];
}

export interface Trend extends Period {
  /** One entry per currency, by code. */
  currencies: TrendOfCurrency[];
}
