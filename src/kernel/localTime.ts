import { DAY, HOUR, type Instant, MINUTE } from './clock.js';

/** Wall-clock time in an IANA time zone, by the zone data that Node brings (ICU). */

const MAX_ZONES = 1_000;
const MAX_OFFSETS = 10_000;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Quarter of an hour since the epoch → offset from UTC in milliseconds. */
  readonly offsets: Map<number, number>;
}

const zones = new Map<string, Zone>();

const formatOf = (name: string): Intl.DateTimeFormat => {
  const options = {
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const;
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: name });
  } catch {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' }); // a zone that this ICU lacks
  }
};

const zoneOf = (name: string): Zone => {
  const known = zones.get(name);
  if (known !== undefined) return known;
  if (zones.size >= MAX_ZONES) zones.clear();
  const zone = { format: formatOf(name), offsets: new Map<number, number>() };
  zones.set(name, zone);
  return zone;
};

const QUARTER = 15 * MINUTE;

/** Offsets change on a quarter of an hour. */
const offsetAt = (name: string, at: number): number => {
  const { format, offsets } = zoneOf(name);
  const quarter = Math.floor(at / QUARTER);
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const start = quarter * QUARTER;
  const parts = Object.fromEntries(
    format.formatToParts(start).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - start;
  if (offsets.size >= MAX_OFFSETS) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
};

/** The instant at which a local clock shows `local` (its wall time taken as UTC); one skipped by daylight saving: soon after. */
const fromLocal = (zone: string, local: number): number => {
  const guess = local - offsetAt(zone, local);
  return local - offsetAt(zone, guess);
};

/** From and to, in minutes of the local day, 0 to 1440; the first before the second. */
export type Span = readonly [from: number, to: number];

/** Hours of a day as spans; a period over midnight is two. */
export const spansOf = (fromHour: number, toHour: number): readonly Span[] =>
  fromHour < toHour
    ? [[fromHour * 60, toHour * 60]]
    : [
        [0, toHour * 60],
        [fromHour * 60, 1440],
      ];

const isWithin = (minute: number, [from, to]: Span): boolean => minute >= from && minute < to;

/**
 * The earliest instant from `at` on at which the local clock is within one of the spans.
 * @param spans at least one that is not empty
 * @param spread 0 ≤ spread < 1: how far into the first hour of the span to go, so that not all begin at once
 */
export const nextWithin = (at: Instant, zone: string, spans: readonly Span[], spread = 0): Instant => {
  const now = Date.parse(at);
  const local = now + offsetAt(zone, now);
  const midnight = Math.floor(local / DAY) * DAY;
  const minute = (local - midnight) / MINUTE;
  if (spans.some((span) => isWithin(minute, span))) return at;
  const starts = spans.filter(([from, to]) => from < to).map(([from, to]) => ({ from, length: to - from }));
  const candidates = [midnight, midnight + DAY].flatMap((day) =>
    starts.map(({ from, length }) => {
      const into = Math.floor(spread * Math.min(HOUR, length * MINUTE));
      return fromLocal(zone, day + from * MINUTE) + into;
    }),
  );
  const next = Math.min(...candidates.filter((candidate) => candidate > now));
  return new Date(Number.isFinite(next) ? next : now).toISOString();
};

const isLastOfMonth = (local: Date): boolean =>
  new Date(local.getTime() + DAY).getUTCMonth() !== local.getUTCMonth();

/**
 * The first of the `within` days after `at` (itself included) whose local date is one of `days`, at the same wall
 * time; a day beyond the month's end means its last. Undefined when there is none.
 */
export const nextMonthDay = (
  at: Instant,
  zone: string,
  days: readonly number[],
  within: number,
): Instant | undefined => {
  const now = Date.parse(at);
  const local = now + offsetAt(zone, now);
  for (let ahead = 0; ahead <= within; ahead++) {
    const date = new Date(local + ahead * DAY);
    const day = date.getUTCDate();
    if (days.includes(day) || (isLastOfMonth(date) && days.some((wanted) => wanted > day)))
      return ahead === 0 ? at : new Date(fromLocal(zone, local + ahead * DAY)).toISOString();
  }
  return undefined;
};
