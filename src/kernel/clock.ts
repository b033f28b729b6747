/** The only source of "now" for domain decisions. Implementations live in infra. */
export interface Clock {
  now(): Date;
}

/** An RFC 3339 instant in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export type Instant = string;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The instant `ms` milliseconds after `instant` (negative: before). */
export const plus = (instant: Instant, ms: number): Instant =>
  new Date(Date.parse(instant) + ms).toISOString();

const RFC_3339 =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
/** What every store and every form of an instant can hold, as UTC. */
export const FIRST_INSTANT: Instant = '0001-01-01T00:00:00.000Z';
export const LAST_INSTANT: Instant = '9999-12-31T23:59:59.999Z';

const isDayOfMonth = (text: string): boolean => {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
};

/**
 * The instant that an RFC 3339 text names. Undefined for what is none (30 February, a leap second, 24:00) and for one
 * that falls outside the years 0001 to 9999 as UTC.
 */
export const instantOf = (text: string): Instant | undefined => {
  if (!RFC_3339.test(text) || !isDayOfMonth(text)) return undefined;
  const utc = new Date(text).toISOString();
  return utc.length === FIRST_INSTANT.length && utc >= FIRST_INSTANT ? utc : undefined;
};

/** Compares by time, not by text. */
export const isBefore = (a: Instant, b: Instant): boolean => Date.parse(a) < Date.parse(b);

export const earliest = (...instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.reduce(
    (min, at) => (at !== undefined && (min === undefined || isBefore(at, min)) ? at : min),
    undefined,
  );

export const latest = (...instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.reduce(
    (max, at) => (at !== undefined && (max === undefined || isBefore(max, at)) ? at : max),
    undefined,
  );
