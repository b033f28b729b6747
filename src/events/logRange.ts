import type { Position } from './envelope.js';
import type { EventStore } from './eventStore.js';
import type { Instant } from '../kernel/clock.js';

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
  const until = to === undefined ? await store.head() : await store.positionBefore(to);
  signal?.throwIfAborted();
  const start = from === undefined ? 0n : await store.positionBefore(from);
  return { after: start > after ? start : after, until };
};
