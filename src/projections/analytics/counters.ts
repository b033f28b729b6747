/** Counters by the day a recovery was opened: its cohort. Amounts are debts in minor units, unless told otherwise. */
export const cohortCounters = [
  'opened_count',
  'opened_amount',
  'open_count',
  'open_amount',
  // What came in, by who brought it in.
  'recovered_psp_retry_count',
  'recovered_psp_retry_amount',
  'recovered_our_retry_count',
  'recovered_our_retry_amount',
  'recovered_link_count',
  'recovered_link_amount',
  'recovered_external_count',
  'recovered_external_amount',
  // What came in within so many days of the opening.
  'recovered_10d_count',
  'recovered_10d_amount',
  'recovered_30d_count',
  'recovered_30d_amount',
  'recovered_60d_count',
  'recovered_60d_amount',
  // Exhausted or expired.
  'lost_count',
  'lost_amount',
  'cancelled_count',
  'cancelled_amount',
  // The funnel: recoveries that got so far.
  'attempted_count',
  'notified_count',
  'link_opened_count',
  'checkout_opened_count',
] as const;

/** Counters by the day on which the thing itself happened. */
export const activityCounters = [
  'attempts_started',
  'attempts_succeeded',
  'attempts_declined',
  // Attempts whose outcome the PSP did not tell at first; most of them are told later and counted there too.
  'attempts_unknown',
  'revenue_psp_retry_count',
  'revenue_psp_retry_amount',
  'revenue_our_retry_count',
  'revenue_our_retry_amount',
  'revenue_link_count',
  'revenue_link_amount',
  'revenue_external_count',
  'revenue_external_amount',
] as const;

export const counters = [...cohortCounters, ...activityCounters] as const;
export type Counter = (typeof counters)[number];

/** The windows after the opening at which recovery is measured, in days. */
export const windows = [10, 30, 60] as const;
