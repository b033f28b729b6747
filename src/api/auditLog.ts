import type { Request, Response } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Position } from '../events/envelope.js';
import type { EventFilter, EventStore } from '../events/eventStore.js';
import { logRange } from '../events/logRange.js';
import type { Instant } from '../kernel/clock.js';
import { ClientGone } from './body/readBody.js';

/** An event of the log in its audit form. */
interface AuditEvent {
  readonly position: string;
}

export interface AuditQuestion {
  readonly filter: EventFilter;
  readonly after: Position;
  /** By when the event was recorded: at or after, before. UTC with milliseconds. */
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  /** Events at most; absent: all. */
  readonly limit?: number | undefined;
}

const PAGE = 500;

/** Aborts when the client goes away. */
export const untilGone = (req: Request): AbortSignal => {
  const gone = new AbortController();
  req.res?.once('close', () => gone.abort());
  return gone.signal;
};

/** The lines that answer the question, as text, a page in memory at a time; the period is cut out of the log first. */
async function* linesOf(
  store: EventStore,
  { filter, after: wanted, from, to, limit = Infinity }: AuditQuestion,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const period = { after: wanted, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const { after, until } = await logRange(store, { ...period, signal });
  if (after >= until) return;
  let left = limit;
  for await (const lines of store.readLines({
    after,
    until,
    filter,
    pageSize: Math.min(limit, PAGE),
    signal,
  })) {
    yield lines.slice(0, left);
    left -= lines.length;
    if (left <= 0) return;
  }
}

/** The question's `limit` of events, and whether there are more. */
export const auditPage = async (
  store: EventStore,
  question: AuditQuestion & { readonly limit: number },
  signal: AbortSignal,
): Promise<{ events: AuditEvent[]; more: boolean }> => {
  const { limit } = question;
  const found: string[] = [];
  for await (const lines of linesOf(store, { ...question, limit: limit + 1 }, signal)) found.push(...lines);
  const events = found.slice(0, limit).map((line) => JSON.parse(line) as AuditEvent);
  return { events, more: found.length > limit };
};

async function* chunksOf(pages: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const lines of pages) if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

/**
 * Streams the answer as NDJSON: the next page is read when the client has taken the last, and reading stops when the
 * client goes away.
 */
export const streamAuditLog = async (
  store: EventStore,
  question: AuditQuestion,
  signal: AbortSignal,
  res: Response,
): Promise<void> => {
  try {
    await pipeline(Readable.from(chunksOf(linesOf(store, question, signal)), { objectMode: false }), res);
  } catch (error) {
    const closed = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    throw closed || signal.aborted ? new ClientGone() : error;
  }
};
