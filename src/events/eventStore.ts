import type { Instant } from '../kernel/clock.js';
import type { Fact, NewEvent, Position, RecordedEvent, StreamId } from './envelope.js';

/** The revision the stream is believed to stand at. There is no "any": every append says what it was decided from. */
export type ExpectedRevision = bigint | 'no_stream';

export interface AppendResult {
  /** The stream's revision after the append: the next expected revision. */
  readonly revision: bigint;
  /** The position of the last event of the append. */
  readonly position: Position;
}

export interface EventFilter {
  readonly types?: readonly string[];
  readonly orgId?: string;
  readonly stream?: StreamId;
}

export interface ReadAllOptions {
  /** Exclusive. */
  readonly after: Position;
  /** Inclusive; reading ends there. Default: the head as it stands when the reader gets there. */
  readonly until?: Position;
  readonly filter?: EventFilter;
  /** Events per page at most (1..50,000; default 1,000). A bound of memory, not of the result. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

export interface ReadFactsOptions extends ReadAllOptions {
  /** Types of which the actor is asked, too. */
  readonly attributed?: readonly string[];
}

/**
 * What a reader of the log is handed, one at a time; the next is produced only when the consumer asks, that is
 * after it handled the last. `position` is how far the log has been scanned: safe to store as a checkpoint once
 * the delivery is handled, also when no event of it passed the filter.
 */
export type Delivery<E extends Fact = RecordedEvent> =
  | { readonly kind: 'events'; readonly events: readonly E[]; readonly position: Position }
  | { readonly kind: 'caught_up'; readonly position: Position };

/**
 * The only truth. The semantics are EventStoreDB's, and every adapter passes test/support/eventStoreContract.ts.
 *
 * append:
 * - all events of one append are contiguous in the stream and in the log, or none is there;
 * - ids are compared before the revision: when the events after `expected` already carry exactly the ids given
 *   (all of them, in order), the append succeeds again and returns the original result, even when the stream has
 *   moved on; anything else that does not meet `expected` throws RevisionConflict with both revisions;
 * - so the same ids at the revision that the stream stands at now are new events: `expected` is part of what makes an
 *   append the same;
 * - the result is durable when the promise resolves. A rejection other than RevisionConflict means "unknown":
 *   append the same ids again.
 */
export interface EventStore {
  append(stream: StreamId, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<AppendResult>;

  /** The stream's events in order, as pages, from the revision after `after` (default: from the first). No page for an absent stream. */
  readStream(
    stream: StreamId,
    options?: { readonly after?: bigint; readonly pageSize?: number },
  ): AsyncIterable<readonly RecordedEvent[]>;

  /** Reads on to the head, delivers `caught_up`, and ends. */
  readAll(options: ReadAllOptions): AsyncIterable<Delivery>;

  /** Like readAll, for folds: a store may leave out what is no part of a fact. */
  readFacts(options: ReadFactsOptions): AsyncIterable<Delivery<Fact>>;

  /** Like readAll, then waits for more, until `signal` aborts. Delivers `caught_up` each time the head is reached. */
  subscribe(options: Omit<ReadAllOptions, 'until'>): AsyncIterable<Delivery>;

  /** The audit form of each event as one line of JSON (no line feed), in pages, in log order; memory stays constant. */
  readLines(options: ReadAllOptions): AsyncIterable<readonly string[]>;

  /** The position of the newest event, 0n for an empty log. */
  head(): Promise<Position>;

  /** How many events lie after a position, counted up to `cap`, and when the oldest of them was recorded. */
  lag(after: Position, types: readonly string[], cap: number): Promise<{ events: number; oldest?: string }>;

  /** A position after which exactly the events recorded at `instant` or later lie. */
  positionBefore(instant: Instant): Promise<Position>;

  close(): Promise<void>;
}

/** The stream does not stand where the append expected it. */
export class RevisionConflict extends Error {
  constructor(
    readonly stream: StreamId,
    readonly expected: ExpectedRevision,
    readonly actual: ExpectedRevision,
  ) {
    super(`stream ${stream} is at ${actual}, expected ${expected}`);
    this.name = 'RevisionConflict';
  }
}

export const isRevisionConflict = (error: unknown): error is RevisionConflict =>
  error instanceof Error && error.name === 'RevisionConflict';
