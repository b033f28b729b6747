import type { Position } from './envelope.js';
import type { EventStore } from './eventStore.js';
import { type Instant, isBefore } from '../kernel/clock.js';

/** When the first event after a position was recorded; undefined at the end of the log. */
const recordedAfter = async (
  store: EventStore,
  after: Position,
  signal?: AbortSignal,
): Promise<Instant | undefined> => {
  for await (const delivery of store.readAll({ after, pageSize: 1, ...(signal && { signal }) })) {
    if (delivery.kind === 'caught_up') return undefined;
    const [first] = delivery.events;
    if (first !== undefined) return first.recorded_at;
  }
  return undefined;
};

/**
 * A position after which exactly the events recorded at `instant` or later lie. recorded_at never decreases along the
 * log, so halving the range finds it in as many small reads as the position has bits, whatever the log's size.
 */
export const positionBefore = async (
  store: EventStore,
  instant: Instant,
  signal?: AbortSignal,
): Promise<Position> => {
  let low = 0n;
  let high = await store.head();
  while (low < high) {
    const middle = (low + high) / 2n;
    const recorded = await recordedAfter(store, middle, signal);
    signal?.throwIfAborted();
    if (recorded !== undefined && isBefore(recorded, instant)) low = middle + 1n;
    else high = middle;
  }
  return low;
};

export interface LogRange {
  readonly after: Position;
  /** Inclusive. */
  readonly until: Position;
}

export interface RangeOptions {
  readonly after?: Position;
  readonly from?: Instant;
  readonly to?: Instant;
  readonly signal?: AbortSignal;
}

/** The part of the log that was recorded in [from, to) and lies after `after`, up to the head as it stands now. */
export const logRange = async (
  store: EventStore,
  { after = 0n, from, to, signal }: RangeOptions,
): Promise<LogRange> => {
  const until = to === undefined ? await store.head() : await positionBefore(store, to, signal);
  const start = from === undefined ? 0n : await positionBefore(store, from, signal);
  return { after: start > after ? start : after, until };
};
