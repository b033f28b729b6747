import type { NewEvent, Position, RecordedEvent, StreamId } from '../../events/envelope.js';
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
import { inTime } from '../../kernel/timeBudget.js';
import { assertAppendable, pageSizeOf } from '../eventStore/appendRules.js';
import { Subscriptions } from '../eventStore/subscriptions.js';
import { parseAddress } from './esdbAddress.js';
import { EsdbAppender } from './esdbAppender.js';
import { EsdbConnection, type EsdbOperations } from './esdbConnection.js';
import { lineOfStored, recordedEvent } from './esdbEvents.js';
import { pagesOf, readPage } from './esdbPages.js';
import { EsdbOwnership } from './esdbOwnership.js';
import { EsdbReader } from './esdbReader.js';
import { EsdbTail } from './esdbTail.js';

export interface EsdbEventStoreOptions {
  /** esdb://user:password@host:2113, esdb+discover://…, with the options of the client's connection strings. */
  readonly url: string;
  readonly logger?: Logger;
  readonly faults?: Faults;
  /** Asked before the log is first read or written, and again until it does not throw: is it the right one? */
  readonly admit?: (ownership: EsdbOwnership) => Promise<void>;
  /** How often the subscription is compared with the head of the log. */
  readonly watchMs?: number;
  /** How many of the newest events are kept in memory for subscriptions. */
  readonly keptEvents?: number;
}

/** Operations that wait until it is known once that they are meant for this log. */
const afterAdmission = (operations: EsdbOperations, admit: () => Promise<void>): EsdbOperations => {
  let admission: Promise<void> | undefined;
  const asked = (): Promise<void> =>
    (admission ??= admit().catch((error: unknown) => {
      admission = undefined;
      throw error;
    }));
  return { run: (patience, operation) => inTime(asked()).then(() => operations.run(patience, operation)) };
};

const ownershipOver = (operations: EsdbOperations): EsdbOwnership => {
  const reader = new EsdbReader(operations);
  return new EsdbOwnership(reader, new EsdbAppender(operations, reader, noFaults));
};

/** The log in EventStoreDB or KurrentDB. What the server shows that is not ours is passed over. */
export class EsdbEventStore implements EventStore {
  /** Whose log it is: may be asked before it is known to be the right one. */
  readonly ownership: EsdbOwnership;
  readonly #connection: EsdbConnection;
  readonly #reader: EsdbReader;
  readonly #appender: EsdbAppender;
  readonly #subscriptions: Subscriptions<EsdbTail>;
  readonly #closing = new AbortController();

  /** @throws Error when the URL cannot be understood */
  constructor({ url, faults = noFaults, ...options }: EsdbEventStoreOptions) {
    const logger = (options.logger ?? silentLogger).child({ component: 'event-store' });
    const address = parseAddress(url, 'stealth-recovery');
    this.#connection = new EsdbConnection(address, logger);
    this.ownership = ownershipOver(this.#connection);
    const operations = afterAdmission(this.#connection, async () => options.admit?.(this.ownership));
    const reader = (this.#reader = new EsdbReader(operations));
    this.#appender = new EsdbAppender(operations, reader, faults);
    const { watchMs = 5000, keptEvents } = options;
    this.#subscriptions = new Subscriptions({
      openTail: () => new EsdbTail({ address, reader, logger, watchMs, keptEvents }),
      readPage: (request) => readPage(reader, request),
      logger,
      closing: this.#closing.signal,
    });
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
    let next = (options.after ?? -1n) + 1n;
    for (;;) {
      const page = await this.#reader.ofStream(stream, next, limit);
      const events = page.flatMap((stored) => recordedEvent(stored) ?? []);
      if (events.length > 0) yield events;
      if (page.length < limit) return;
      next = (page.at(-1)?.revision ?? next) + 1n;
    }
  }

  async *readAll(options: ReadAllOptions): AsyncGenerator<Delivery> {
    let position = options.after;
    for await (const page of pagesOf(this.#reader, options, (stored) =>
      recordedEvent(stored, options.filter),
    )) {
      if (page.items.length > 0 || page.position > position)
        yield { kind: 'events', events: page.items, position: page.position };
      position = page.position;
    }
    if (!options.signal?.aborted) yield { kind: 'caught_up', position };
  }

  /** The server sends whole events, always. */
  readFacts(options: ReadFactsOptions): AsyncGenerator<Delivery> {
    return this.readAll(options);
  }

  subscribe(options: Omit<ReadAllOptions, 'until'>): AsyncGenerator<Delivery> {
    return this.#subscriptions.subscribe(options);
  }

  async *readLines(options: ReadAllOptions): AsyncGenerator<readonly string[]> {
    const lineOf = (stored: Parameters<typeof lineOfStored>[0]) =>
      recordedEvent(stored, options.filter) && lineOfStored(stored);
    for await (const { items } of pagesOf(this.#reader, options, lineOf)) if (items.length > 0) yield items;
  }

  head(): Promise<Position> {
    return this.#reader.head();
  }

  lag(after: Position, types: readonly string[], cap: number): Promise<{ events: number; oldest?: Instant }> {
    return this.#reader.lag(after, types, cap);
  }

  positionBefore(instant: Instant): Promise<Position> {
    return this.#reader.positionBefore(instant);
  }

  /** Ends subscriptions and settles appends in flight. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#appender.drained();
    await this.#subscriptions.ended();
    this.#connection.close();
  }
}
