import { DAY, HOUR, type Instant, MINUTE, plus } from './clock.js';

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

/**
 * The instant at which a local clock shows `local` (its wall time taken as UTC): of two the first, and where daylight
 * saving skips it, as much later as is skipped.
 */
const fromLocal = (zone: string, local: number): number => {
  const before = local - offsetAt(zone, local - DAY);
  const after = local - offsetAt(zone, local + DAY);
  const shows = (at: number): boolean => at + offsetAt(zone, at) === local;
  return shows(before) || !shows(after) ? before : after;
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
 */
export const nextWithin = (at: Instant, zone: string, spans: readonly Span[]): Instant => {
  const now = Date.parse(at);
  const local = now + offsetAt(zone, now);
  const midnight = Math.floor(local / DAY) * DAY;
  const minute = (local - midnight) / MINUTE;
  if (spans.some((span) => isWithin(minute, span))) return at;
  const starts = spans.filter(([from, to]) => from < to).map(([from]) => from);
  const candidates = [midnight, midnight + DAY].flatMap((day) =>
    starts.map((from) => fromLocal(zone, day + from * MINUTE)),
  );
  const next = Math.min(...candidates.filter((candidate) => candidate > now));
  return new Date(Number.isFinite(next) ? next : now).toISOString();
};

/** Hours of the day by the clock of a zone. */
export interface Hours {
  readonly zone: string;
  readonly spans: readonly Span[];
}

/** More than there are openings in two days: clocks that do not meet by then never do. */
const MOST_MOVES = 16;

const allOpen = (at: Instant, all: readonly Hours[]): Instant | undefined => {
  let from = at;
  for (let moves = 0; moves < MOST_MOVES; moves++) {
    const next = all.reduce((time, { zone, spans }) => nextWithin(time, zone, spans), from);
    if (next === from) return from;
    from = next;
  }
  return undefined;
};

/**
 * The earliest instant from `at` on that is within all of the hours; undefined where they never meet.
 * @param spread 0 ≤ spread < 1: how far into their first hour to go, so that not all begin at once
 */
export const nextWithinAll = (at: Instant, all: readonly Hours[], spread = 0): Instant | undefined => {
  const first = allOpen(at, all);
  if (first === undefined || first === at) return first;
  for (let reach = HOUR; reach > MINUTE; reach /= 2) {
    const later = plus(first, Math.floor(spread * reach));
    if (all.every(({ zone, spans }) => nextWithin(later, zone, spans) === later)) return later;
  }
  return first;
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
