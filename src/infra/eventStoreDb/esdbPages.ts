import type { Position, RecordedEvent, StreamId } from '../../events/envelope.js';
import type { ReadAllOptions } from '../../events/eventStore.js';
import { pageSizeOf } from '../eventStore/appendRules.js';
import { type Page, type PageRequest, prefetched } from '../eventStore/pages.js';
import { recordedEvent, type StoredEvent } from './esdbEvents.js';
import type { EsdbReader } from './esdbReader.js';

/** An event in the form wanted; undefined when it is not ours or does not pass. */
type Take<T> = (stored: StoredEvent) => T | undefined;

/** Pages up to `until`, or to the head as it stands when the reader gets there. */
export const pagesOf = <T>(
  reader: EsdbReader,
  options: ReadAllOptions,
  take: Take<T>,
): AsyncGenerator<Page<T>> =>
  options.filter?.stream === undefined
    ? logPages(reader, options, take)
    : streamPages(reader, options.filter.stream, options, take);

/** A page for a subscription; where nothing is left of the log (a scavenge) it is empty and ends at the bound. */
export const readPage = async (
  reader: EsdbReader,
  { after, upTo, filter, limit }: PageRequest,
): Promise<Page<RecordedEvent>> => {
  const page = await reader.after(after, limit);
  const items = page.flatMap((stored) => recordedEvent(stored, filter) ?? []);
  return { items, position: page.at(-1)?.position ?? upTo };
};

const isReached = ({ until }: ReadAllOptions, position: Position): boolean =>
  until !== undefined && position >= until;

/** The server filters subscriptions only: pages are read whole, and what does not pass is left out here. */
const logPages = <T>(reader: EsdbReader, options: ReadAllOptions, take: Take<T>): AsyncGenerator<Page<T>> => {
  const limit = pageSizeOf(options);
  const read = async (after: Position): Promise<Page<T> | undefined> => {
    if (isReached(options, after)) return undefined;
    const page = await reader.after(after, limit);
    const last = page.at(-1);
    if (last === undefined) return undefined;
    return cut(page, last.position, options, take);
  };
  return prefetched(options.after, read, options.signal);
};

/** One stream is found by its index, without a walk through the log. */
async function* streamPages<T>(
  reader: EsdbReader,
  stream: StreamId,
  options: ReadAllOptions,
  take: Take<T>,
): AsyncGenerator<Page<T>> {
  const limit = pageSizeOf(options);
  let next = 0n;
  for (let position = options.after; !options.signal?.aborted && !isReached(options, position);) {
    // Before the read: the stream has nothing up to there that the read does not show.
    const head = await reader.head();
    const page = await reader.ofStream(stream, next, limit);
    const last = page.at(-1);
    const scanned = last?.position ?? (head > position ? head : position);
    position = scanned > position ? scanned : position;
    const { items, position: reached } = cut(page, position, options, take);
    yield { items, position: reached };
    if (last === undefined) return;
    next = last.revision + 1n;
  }
}

const cut = <T>(
  page: readonly StoredEvent[],
  scanned: Position,
  { after, until }: ReadAllOptions,
  take: Take<T>,
): Page<T> => {
  const end = until !== undefined && until < scanned ? until : scanned;
  const inside = page.filter(({ position }) => position > after && position <= end);
  return { items: inside.flatMap((stored) => take(stored) ?? []), position: end };
};
