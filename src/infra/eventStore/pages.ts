import type { Position } from '../../events/envelope.js';
import type { Page } from './pgReader.js';
import { orAborted } from '../../kernel/signal.js';

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
