import type { Response } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EventStore, ReadAllOptions } from '../events/eventStore.js';
import { ClientGone } from './body/readBody.js';

/** An event of the log, as one line of its audit form. */
interface AuditEvent {
  readonly position: string;
  readonly recorded_at: string;
}

export interface AuditFilter {
  readonly read: Pick<ReadAllOptions, 'after' | 'filter'>;
  /** By when the event was recorded: at or after, before. UTC with milliseconds. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const parse = (line: string): AuditEvent => JSON.parse(line) as AuditEvent;

/**
 * The lines of a filter, page by page. `recorded_at` never falls along the log, so reading ends at the first event
 * past the period. Without a period the lines go through as text, unparsed.
 */
async function* linesOf(
  store: EventStore,
  { read, from, to }: AuditFilter,
  options: Pick<ReadAllOptions, 'pageSize' | 'signal'>,
): AsyncGenerator<readonly string[]> {
  for await (const lines of store.readLines({ ...read, ...options })) {
    if (from === undefined && to === undefined) yield lines;
    else {
      const times = lines.map((line) => parse(line).recorded_at);
      const end = to === undefined ? -1 : times.findIndex((time) => time >= to);
      const until = end === -1 ? lines.length : end;
      yield lines
        .slice(0, until)
        .filter((_, index) => from === undefined || (times[index] as string) >= from);
      if (end !== -1) return;
    }
  }
}

/** At most `limit` events, and whether there are more. */
export const auditPage = async (
  store: EventStore,
  filter: AuditFilter,
  limit: number,
): Promise<{ events: AuditEvent[]; more: boolean }> => {
  const events: AuditEvent[] = [];
  for await (const lines of linesOf(store, filter, { pageSize: limit + 1 })) {
    for (const line of lines) {
      if (events.length === limit) return { events, more: true };
      events.push(parse(line));
    }
  }
  return { events, more: false };
};

const STREAM_PAGE = 500;

async function* chunksOf(pages: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const lines of pages) if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

/**
 * Streams every event of the filter as NDJSON: the next page is read when the client has taken the last, and reading
 * stops when the client goes away.
 */
export const streamAuditLog = async (
  store: EventStore,
  filter: AuditFilter,
  res: Response,
): Promise<void> => {
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  res.setHeader('Content-Type', 'application/x-ndjson; charset=utf-8');
  const lines = linesOf(store, filter, { pageSize: STREAM_PAGE, signal: gone.signal });
  try {
    await pipeline(Readable.from(chunksOf(lines), { objectMode: false }), res);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE' ? new ClientGone() : error;
  }
};
