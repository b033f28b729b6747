import type pg from 'pg';
import type { Fact, NewEvent, Position, RecordedEvent, StreamId } from '../../events/envelope.js';
import type {
  AppendResult,
  Delivery,
  EventStore,
  ExpectedRevision,
  ReadAllOptions,
  ReadFactsOptions,
} from '../../events/eventStore.js';
import type { Instant } from '../../kernel/clock.js';
import { type Faults, noFaults } from '../../kernel/faults.js';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import { assertAppendable, pageSizeOf } from './appendRules.js';
import { type Page, type PageRequest, prefetched, windowed } from './pages.js';
import { PgAppender } from './pgAppender.js';
import {
  eventsOf,
  type EventRow,
  factsOf,
  linesOf,
  readEvents,
  readFactRows,
  readHead,
  readLag,
  readRows,
  readStreamPage,
} from './pgReader.js';
import { PgTail } from './pgTail.js';
import { PgNotifier } from './pgWakeups.js';
import { positionBefore } from './positionBefore.js';
import { Subscriptions } from './subscriptions.js';

export interface PgEventStoreOptions {
  readonly pool: pg.Pool;
  readonly logger?: Logger;
  readonly faults?: Faults;
  /** How often the log is looked at when no wake-up comes. */
  readonly pollMs?: number;
  /** Commits in flight at once: one is fastest (the counter's lock is held to the end of the flush anyway). */
  readonly appendLanes?: number;
}

/** From this page size on the log is read in windows, several at once. */
const LARGE_PAGE = 500;

/** The log in Postgres; migrations/…_events.js has the table and the append function. */
export class PgEventStore implements EventStore {
  readonly #pool: pg.Pool;
  readonly #appender: PgAppender;
  readonly #notifier: PgNotifier;
  readonly #subscriptions: Subscriptions<PgTail>;
  readonly #closing = new AbortController();

  constructor(options: PgEventStoreOptions) {
    const { pool, faults = noFaults, pollMs = 500, appendLanes: lanes = 1 } = options;
    const logger = (options.logger ?? silentLogger).child({ component: 'event-store' });
    this.#pool = pool;
    this.#notifier = new PgNotifier(pool, logger);
    this.#subscriptions = new Subscriptions({
      openTail: () => new PgTail(pool, logger, pollMs),
      readPage: (request) => readEvents(pool, request),
      logger,
      closing: this.#closing.signal,
    });
    this.#appender = new PgAppender({ pool, faults, lanes, onCommit: () => this.#committed() });
  }

  async append(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    assertAppendable(stream, events);
    if (this.#closing.signal.aborted) throw new Error('the event store is closed');
    return this.#appender.append(stream, expected, events);
  }

  async *readStream(
    stream: StreamId,
    options: { readonly after?: bigint; readonly pageSize?: number } = {},
  ): AsyncGenerator<readonly RecordedEvent[]> {
    const limit = pageSizeOf(options);
    let after = options.after ?? -1n;
    for (;;) {
      const page = await readStreamPage(this.#pool, stream, after, limit);
      if (page.length > 0) yield page;
      if (page.length < limit) return;
      after += BigInt(page.length);
    }
  }

  readAll(options: ReadAllOptions): AsyncGenerator<Delivery> {
    return this.#deliveries(options, this.#readRows, eventsOf);
  }

  readFacts({ attributed = [], ...options }: ReadFactsOptions): AsyncGenerator<Delivery<Fact>> {
    const read = (request: PageRequest) => readFactRows(this.#pool, request, attributed);
    return this.#deliveries(options, read, factsOf);
  }

  subscribe(options: Omit<ReadAllOptions, 'until'>): AsyncGenerator<Delivery> {
    return this.#subscriptions.subscribe(options);
  }

  async *readLines(options: ReadAllOptions): AsyncGenerator<readonly string[]> {
    for await (const { items } of this.#pages(options, this.#readRows))
      if (items.length > 0) yield linesOf(items);
  }

  head(): Promise<Position> {
    return readHead(this.#pool);
  }

  lag(after: Position, types: readonly string[], cap: number): Promise<{ events: number; oldest?: string }> {
    return readLag(this.#pool, after, types, cap);
  }

  positionBefore(instant: Instant): Promise<Position> {
    return positionBefore(this, instant);
  }

  /** Ends subscriptions and settles appends in flight; the pool stays open. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#appender.drained();
    await Promise.all([this.#notifier.drained(), this.#subscriptions.ended()]);
  }

  #committed(): void {
    this.#subscriptions.tail?.wake();
    this.#notifier.touch();
  }

  readonly #readRows = (request: PageRequest): Promise<Page<EventRow>> => readRows(this.#pool, request);

  async *#deliveries<R, E extends Fact>(
    options: ReadAllOptions,
    readPage: (request: PageRequest) => Promise<Page<R>>,
    parse: (rows: readonly R[]) => E[],
  ): AsyncGenerator<Delivery<E>> {
    let position = options.after;
    for await (const page of this.#pages(options, readPage)) {
      yield { kind: 'events', events: parse(page.items), position: page.position };
      position = page.position;
    }
    if (!options.signal?.aborted) yield { kind: 'caught_up', position };
  }

  /** Pages up to `until`, or to the head as it stands when the reader gets there. */
  #pages<R>(
    { after, filter = {}, until, signal, ...options }: ReadAllOptions,
    readPage: (request: PageRequest) => Promise<Page<R>>,
  ): AsyncGenerator<Page<R>> {
    const limit = pageSizeOf(options);
    const last = async (): Promise<Position> => {
      const head = await readHead(this.#pool);
      return until !== undefined && until < head ? until : head;
    };
    const read = (from: Position, upTo: Position) => readPage({ after: from, upTo, filter, limit });
    const walks = filter.stream === undefined && filter.orgId === undefined;
    if (walks && limit >= LARGE_PAGE)
      return windowed({ after, step: BigInt(limit), end: last, read, abort: signal });
    let end = after;
    const readNext = async (from: Position): Promise<Page<R> | undefined> => {
      if (from >= end && (until === undefined || from < until)) end = await last();
      return from < end ? read(from, end) : undefined;
    };
    return prefetched(after, readNext, signal);
  }
}
