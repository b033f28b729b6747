import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { type Instant, isBefore } from '../../kernel/clock.js';

/** When the first event after a position was recorded; undefined at the end of the log. */
const recordedAfter = async (
  store: Pick<EventStore, 'head' | 'readAll'>,
  after: Position,
): Promise<Instant | undefined> => {
  for await (const delivery of store.readAll({ after, pageSize: 1 })) {
    if (delivery.kind === 'caught_up') return undefined;
    const [first] = delivery.events;
    if (first !== undefined) return first.recorded_at;
  }
  return undefined;
};

/**
 * EventStore.positionBefore for logs whose positions are numbers that one may halve. recorded_at never decreases along the
 * log, so halving the range finds it in as many small reads as the position has bits, whatever the log's size.
 */
export const positionBefore = async (
  store: Pick<EventStore, 'head' | 'readAll'>,
  instant: Instant,
): Promise<Position> => {
  let low = 0n;
  let high = await store.head();
  while (low < high) {
    const middle = (low + high) / 2n;
    const recorded = await recordedAfter(store, middle);
    if (recorded !== undefined && isBefore(recorded, instant)) low = middle + 1n;
    else high = middle;
  }
  return low;
};
