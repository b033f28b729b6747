import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Delivery, ReadAllOptions } from '../../events/eventStore.js';
import type { Logger } from '../../kernel/logger.js';
import type { Signal } from '../../kernel/signal.js';
import { pageSizeOf, predicateOf } from './appendRules.js';
import { persistently } from './backoff.js';
import type { NewestEvents } from './newestEvents.js';
import { type Page, type PageRequest, prefetched } from './pages.js';

/*
 * Fan-out. One tail follows the log for the whole process and keeps its newest events; it exists while there are
 * subscriptions. One that stands inside what the tail holds is served from memory; one that fell behind it reads pages
 * until it is back.
 */

/** Keeps up with the end of a log. */
export interface Tail {
  readonly newest: NewestEvents;
  /** Notified whenever `newest` has moved. */
  readonly changed: Signal;
  /** Resolves when `newest` reaches over everything that was appended before the call, or at the abort. */
  sync(signal: AbortSignal): Promise<void>;
  /** Follows the log until the signal aborts, whatever happens to its server; then forgets what it held. */
  run(stop: AbortSignal): Promise<void>;
}

type Options = Omit<ReadAllOptions, 'until'>;

export interface SubscriptionsOptions<T extends Tail> {
  readonly openTail: () => T;
  readonly readPage: (request: PageRequest) => Promise<Page<RecordedEvent>>;
  readonly logger: Logger;
  /** Ends them all. */
  readonly closing: AbortSignal;
}

/** The subscriptions of a process to one log. */
export class Subscriptions<T extends Tail> {
  #shared: { readonly tail: T; readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #users = 0;

  constructor(private readonly on: SubscriptionsOptions<T>) {}

  /** Undefined while there is no subscription. */
  get tail(): T | undefined {
    return this.#shared?.tail;
  }

  /** Resolves when the tail is gone. */
  async ended(): Promise<void> {
    this.#stop();
    await this.#ending;
  }

  /** See EventStore.subscribe. */
  async *subscribe(options: Options): AsyncGenerator<Delivery> {
    const { closing } = this.on;
    const signal = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
    if (signal.aborted) return;
    const tail = this.#join();
    try {
      // What was appended before is handed over before the first caught_up.
      await tail.sync(signal);
      yield* this.#follow(tail, options, signal);
    } finally {
      this.#leave();
    }
  }

  async *#follow({ newest, changed }: Tail, options: Options, signal: AbortSignal): AsyncGenerator<Delivery> {
    const limit = pageSizeOf(options);
    const passes = predicateOf(options.filter);
    let position = options.after;
    let announced: Position | undefined;
    while (!signal.aborted) {
      if (position < (newest.from ?? 0n)) {
        for await (const { items: events, position: scanned } of this.#behind(
          newest,
          position,
          options,
          signal,
        )) {
          yield { kind: 'events', events, position: scanned };
          position = scanned;
        }
      } else if (position < newest.to) {
        const next = newest.after(position, limit);
        position = next.length === limit ? (next.at(-1)?.position ?? position) : newest.to;
        const events = passes ? next.filter(passes) : next;
        if (events.length > 0) yield { kind: 'events', events, position };
      } else if (announced !== position) {
        announced = position;
        yield { kind: 'caught_up', position };
      } else await changed.wait(signal);
    }
  }

  /** Pages up to where the tail begins. */
  #behind(
    newest: NewestEvents,
    after: Position,
    { filter = {}, ...options }: Options,
    signal: AbortSignal,
  ): AsyncGenerator<Page<RecordedEvent>> {
    const { readPage, logger } = this.on;
    const limit = pageSizeOf(options);
    const read = async (from: Position): Promise<Page<RecordedEvent> | undefined> => {
      if (from >= (newest.from ?? 0n)) return undefined;
      return persistently(() => readPage({ after: from, upTo: newest.to, filter, limit }), logger, signal);
    };
    return prefetched(after, read, signal);
  }

  #join(): T {
    this.#users += 1;
    this.#shared ??= this.#start();
    return this.#shared.tail;
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#stop();
  }

  #start() {
    const tail = this.on.openTail();
    const stop = new AbortController();
    return { tail, stop, ended: tail.run(stop.signal) };
  }

  #stop(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    shared.stop.abort();
    this.#ending = Promise.all([this.#ending, shared.ended]);
  }
}
