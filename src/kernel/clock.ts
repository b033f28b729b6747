/** The only source of "now" for domain decisions. Implementations live in infra. */
export interface Clock {
  now(): Date;
}

/** An RFC 3339 instant in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export type Instant = string;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The instant `ms` milliseconds after `instant` (negative: before). */
export const plus = (instant: Instant, ms: number): Instant =>
  new Date(Date.parse(instant) + ms).toISOString();

/** Compares by time, not by text. */
export const isBefore = (a: Instant, b: Instant): boolean => Date.parse(a) < Date.parse(b);

export const earliest = (...instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.reduce(
    (min, at) => (at !== undefined && (min === undefined || isBefore(at, min)) ? at : min),
    undefined,
  );
