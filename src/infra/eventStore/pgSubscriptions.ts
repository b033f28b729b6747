import type pg from 'pg';
import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Delivery, ReadAllOptions } from '../../events/eventStore.js';
import type { Logger } from '../../kernel/logger.js';
import { pageSizeOf, predicateOf } from './appendRules.js';
import { prefetched } from './pages.js';
import { backoff } from './pgErrors.js';
import { type Page, readEvents } from './pgReader.js';
import { PgTail } from './pgTail.js';
import { listen } from './pgWakeups.js';

type Options = Omit<ReadAllOptions, 'until'>;

/** The subscriptions of a process. They share one tail and one LISTEN connection, which exist while there are any. */
export class PgSubscriptions {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  readonly #pollMs: number;
  readonly #closing: AbortSignal;
  #shared:
    { readonly tail: PgTail; readonly stop: AbortController; readonly ended: Promise<unknown> } | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #users = 0;

  constructor(pool: pg.Pool, logger: Logger, pollMs: number, closing: AbortSignal) {
    this.#pool = pool;
    this.#logger = logger;
    this.#pollMs = pollMs;
    this.#closing = closing;
  }

  wake(): void {
    this.#shared?.tail.wake();
  }

  /** Resolves when the shared reader is gone. */
  async ended(): Promise<void> {
    this.#stop();
    await this.#ending;
  }

  async *subscribe(options: Options): AsyncGenerator<Delivery> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing]) : this.#closing;
    if (signal.aborted) return;
    const tail = this.#join();
    try {
      await tail.sync(signal);
      yield* this.#follow(tail, options, signal);
    } finally {
      this.#leave();
    }
  }

  async *#follow(tail: PgTail, options: Options, signal: AbortSignal): AsyncGenerator<Delivery> {
    const limit = pageSizeOf(options);
    const passes = predicateOf(options.filter);
    let position = options.after;
    let announced: Position | undefined;
    while (!signal.aborted) {
      if (position < (tail.from ?? 0n)) {
        for await (const { items, position: scanned } of this.#behind(tail, position, options, signal)) {
          yield { kind: 'events', events: items, position: scanned };
          position = scanned;
        }
      } else if (position < tail.to) {
        const newest = tail.after(position, limit);
        const events = passes ? newest.filter(passes) : newest;
        position = newest.at(-1)?.position ?? position;
        if (events.length > 0) yield { kind: 'events', events, position };
      } else if (announced !== position) {
        announced = position;
        yield { kind: 'caught_up', position };
      } else await tail.changed.wait(signal);
    }
  }

  /** Pages from the table up to where the tail stands. */
  async *#behind(
    tail: PgTail,
    after: Position,
    options: Options,
    signal: AbortSignal,
  ): AsyncGenerator<Page<RecordedEvent>> {
    const { filter = {} } = options;
    const limit = pageSizeOf(options);
    const read = async (from: Position): Promise<Page<RecordedEvent> | undefined> => {
      if (from >= (tail.from ?? 0n)) return undefined;
      return this.#persistently(
        () => readEvents(this.#pool, { after: from, upTo: tail.to, filter, limit }),
        signal,
      );
    };
    yield* prefetched(after, read, signal);
  }

  /** Tries until it succeeds or the signal aborts: a subscription outlives its database connection. */
  async #persistently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await read();
      } catch (err) {
        this.#logger.warn({ err, failures }, 'reading a page for a subscription failed, trying again');
        await backoff(failures, signal);
      }
    }
    return undefined;
  }

  #join(): PgTail {
    this.#users += 1;
    this.#shared ??= this.#start();
    return this.#shared.tail;
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#stop();
  }

  #start() {
    const tail = new PgTail(this.#pool, this.#logger, this.#pollMs);
    const stop = new AbortController();
    const wake = () => tail.wake();
    const ended = Promise.all([tail.run(stop.signal), listen(this.#pool, this.#logger, stop.signal, wake)]);
    return { tail, stop, ended };
  }

  #stop(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    shared.stop.abort();
    this.#ending = Promise.all([this.#ending, shared.ended]);
  }
}
