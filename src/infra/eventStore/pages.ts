import type { Position } from '../../events/envelope.js';
import type { EventFilter } from '../../events/eventStore.js';
import { orAborted } from '../../kernel/signal.js';

export interface Page<T> {
  readonly items: readonly T[];
  /** How far the log was scanned. */
  readonly position: Position;
}

export interface PageRequest {
  readonly after: Position;
  /** Inclusive; not after the head. */
  readonly upTo: Position;
  readonly filter: EventFilter;
  readonly limit: number;
}

/**
 * Pages one after another until `read` says there is none; the next is read while the consumer works on the current
 * one, at most one ahead. That there is no more is asked again once the consumer is back: the log may have grown.
 */
export async function* prefetched<T>(
  after: Position,
  read: (after: Position) => Promise<Page<T> | undefined>,
  abort?: AbortSignal,
): AsyncGenerator<Page<T>> {
  let next = read(after);
  let fresh = true;
  try {
    for (let position = after; ;) {
      let page = await orAborted(next, abort);
      if (abort?.aborted) return;
      if (page === undefined && !fresh) page = await orAborted((next = read(position)), abort);
      if (page === undefined || abort?.aborted) return;
      position = page.position;
      next = read(position);
      next.catch(() => undefined);
      fresh = false;
      yield page;
    }
  } finally {
    next.catch(() => undefined);
  }
}

export interface Windows<T> {
  readonly after: Position;
  /** Positions per page. */
  readonly step: bigint;
  /** Where the log ends for this reader, as it stands now. */
  readonly end: () => Promise<Position>;
  readonly read: (after: Position, upTo: Position) => Promise<Page<T>>;
  readonly abort?: AbortSignal | undefined;
}

const AHEAD = 2;

/**
 * Pages of a log whose positions have no gaps: where each of them ends is known before it is read, so that several are
 * read at once, and the server's work and the consumer's run side by side.
 */
export async function* windowed<T>({ after, step, end, read, abort }: Windows<T>): AsyncGenerator<Page<T>> {
  const ahead: Promise<Page<T>>[] = [];
  let [from, last] = [after, after];
  const fill = (): void => {
    while (ahead.length <= AHEAD && from < last) {
      const upTo = from + step < last ? from + step : last;
      const page = read(from, upTo);
      page.catch(() => undefined); // awaited in its turn, or not wanted any more
      ahead.push(page);
      from = upTo;
    }
  };
  while (!abort?.aborted) {
    if (ahead.length === 0) last = (await orAborted(end(), abort)) ?? from;
    fill();
    const next = ahead.shift();
    if (next === undefined) return;
    const page = await orAborted(next, abort);
    if (page === undefined || abort?.aborted) return;
    fill();
    yield page;
  }
}
