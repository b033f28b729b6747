import type { NewEvent, Position, RecordedEvent, StreamId } from '../../events/envelope.js';
import {
  type AppendResult,
  type Delivery,
  type EventStore,
  type ExpectedRevision,
  type ReadAllOptions,
  type ReadFactsOptions,
  RevisionConflict,
} from '../../events/eventStore.js';
import type { Clock, Instant } from '../../kernel/clock.js';
import { lineOf } from '../../events/eventLine.js';
import { assertAppendable, pageSizeOf, predicateOf } from './appendRules.js';
import { Signal } from '../../kernel/signal.js';
import { positionBefore } from './positionBefore.js';

const systemClock: Clock = { now: () => new Date() };

/** The port in plain arrays, for tests: the same contract as the durable adapters, gone with the process. */
export class MemoryEventStore implements EventStore {
  readonly #clock: Clock;
  /** Index = position - 1. */
  readonly #log: RecordedEvent[] = [];
  readonly #streams = new Map<StreamId, RecordedEvent[]>();
  readonly #appended = new Signal();
  readonly #closing = new AbortController();

  constructor({ clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#clock = clock;
  }

  async append(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    assertAppendable(stream, events);
    const existing = this.#streams.get(stream) ?? [];
    const start = expected === 'no_stream' ? 0 : Number(expected) + 1;
    const repeated = existing.slice(start, start + events.length);
    if (repeated.length === events.length && repeated.every(({ id }, i) => id === events[i]?.id))
      return resultOf(repeated);
    if (start !== existing.length) {
      throw new RevisionConflict(stream, expected, existing.at(-1)?.revision ?? 'no_stream');
    }
    const recorded = this.#record(stream, start, events);
    existing.push(...recorded);
    this.#streams.set(stream, existing);
    this.#log.push(...recorded);
    this.#appended.notify();
    return resultOf(recorded);
  }

  async *readStream(
    stream: StreamId,
    options: { readonly after?: bigint; readonly pageSize?: number } = {},
  ): AsyncGenerator<readonly RecordedEvent[]> {
    const pageSize = pageSizeOf(options);
    let next = Number((options.after ?? -1n) + 1n);
    for (;;) {
      const page = (this.#streams.get(stream) ?? []).slice(next, next + pageSize);
      if (page.length === 0) return;
      yield page;
      next += page.length;
    }
  }

  async *readAll(options: ReadAllOptions): AsyncGenerator<Delivery> {
    let position = options.after;
    for (const page of this.#pages(options)) {
      if (stopped(options.signal)) return;
      yield page;
      position = page.position;
    }
    if (!stopped(options.signal)) yield { kind: 'caught_up', position };
  }

  readFacts(options: ReadFactsOptions): AsyncGenerator<Delivery> {
    return this.readAll(options);
  }

  async *subscribe(options: Omit<ReadAllOptions, 'until'>): AsyncGenerator<Delivery> {
    const signal = options.signal
      ? AbortSignal.any([options.signal, this.#closing.signal])
      : this.#closing.signal;
    let after = options.after;
    while (!stopped(signal)) {
      for await (const delivery of this.readAll({ ...options, after, signal })) {
        yield delivery;
        after = delivery.position;
      }
      while (!stopped(signal) && after >= BigInt(this.#log.length)) await this.#appended.wait(signal);
    }
  }

  async *readLines(options: ReadAllOptions): AsyncGenerator<readonly string[]> {
    for await (const delivery of this.readAll(options)) {
      if (delivery.kind === 'events' && delivery.events.length > 0) yield delivery.events.map(lineOf);
    }
  }

  head(): Promise<Position> {
    return Promise.resolve(BigInt(this.#log.length));
  }

  lag(after: Position, types: readonly string[], cap: number): Promise<{ events: number; oldest?: string }> {
    const behind = this.#log
      .slice(Number(after))
      .filter(({ type }) => types.includes(type))
      .slice(0, cap);
    const oldest = behind[0]?.recorded_at;
    return Promise.resolve({ events: behind.length, ...(oldest !== undefined && { oldest }) });
  }

  positionBefore(instant: Instant): Promise<Position> {
    return positionBefore(this, instant);
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }

  /** Windows of the log up to its end as it stands when the reader gets there. */
  *#pages(options: ReadAllOptions): Generator<Extract<Delivery, { kind: 'events' }>> {
    const pageSize = pageSizeOf(options);
    const passes = predicateOf(options.filter);
    const end = () => Math.min(this.#log.length, Number(options.until ?? Infinity));
    for (let from = Number(options.after), to = from; from < end(); from = to) {
      to = Math.min(from + pageSize, end());
      const page = this.#log.slice(from, to);
      yield { kind: 'events', events: passes ? page.filter(passes) : page, position: BigInt(to) };
    }
  }

  #record(stream: StreamId, start: number, events: readonly NewEvent[]): RecordedEvent[] {
    const now = this.#clock.now().toISOString();
    const last = this.#log.at(-1)?.recorded_at ?? now;
    return events.map((event, index) => ({
      id: event.id,
      stream,
      revision: BigInt(start + index),
      position: BigInt(this.#log.length + index + 1),
      type: event.type,
      // What is read is what JSON keeps, and no caller can change it afterwards.
      data: JSON.parse(JSON.stringify(event.data)) as unknown,
      metadata: JSON.parse(JSON.stringify(event.metadata)) as RecordedEvent['metadata'],
      recorded_at: now > last ? now : last,
    }));
  }
}

const stopped = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const resultOf = (recorded: readonly RecordedEvent[]): AppendResult => {
  const last = recorded.at(-1);
  if (last === undefined) throw new RangeError('an append holds at least one event');
  return { revision: last.revision, position: last.position };
};
