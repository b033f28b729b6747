import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Delivery, ReadAllOptions } from '../../events/eventStore.js';
import type { Logger } from '../../kernel/logger.js';
import { pageSizeOf, predicateOf } from '../eventStore/appendRules.js';
import { prefetched } from '../eventStore/pages.js';
import { backoff } from '../eventStore/pgErrors.js';
import type { Page } from '../eventStore/pgReader.js';
import { orAborted } from '../../kernel/signal.js';
import { recordedEvent } from './esdbEvents.js';
import type { EsdbReader } from './esdbReader.js';
import { EsdbTail } from './esdbTail.js';
import type { EsdbAddress } from './esdbAddress.js';

type Options = Omit<ReadAllOptions, 'until'>;

export interface EsdbSubscriptionsOptions {
  readonly address: EsdbAddress;
  readonly reader: EsdbReader;
  readonly logger: Logger;
  readonly watchMs: number;
  readonly keptEvents: number;
  readonly closing: AbortSignal;
}

/** The subscriptions of a process. They share one tail, which exists while there are any. */
export class EsdbSubscriptions {
  #shared:
    { readonly tail: EsdbTail; readonly stop: AbortController; readonly ended: Promise<void> } | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  #users = 0;

  constructor(private readonly on: EsdbSubscriptionsOptions) {}

  /** Resolves when the shared reader is gone. */
  async ended(): Promise<void> {
    this.#stop();
    await this.#ending;
  }

  async *subscribe(options: Options): AsyncGenerator<Delivery> {
    const { closing, reader } = this.on;
    const signal = options.signal ? AbortSignal.any([options.signal, closing]) : closing;
    if (signal.aborted) return;
    const tail = this.#join();
    try {
      // What was appended before is handed over before the first caught_up.
      const head = await orAborted(
        this.#persistently(() => reader.head(), signal),
        signal,
      );
      if (head !== undefined) yield* this.#follow(tail, options, head, signal);
    } finally {
      this.#leave();
    }
  }

  async *#follow(
    tail: EsdbTail,
    options: Options,
    head: Position,
    signal: AbortSignal,
  ): AsyncGenerator<Delivery> {
    const limit = pageSizeOf(options);
    const passes = predicateOf(options.filter);
    let position = options.after;
    let announced: Position | undefined;
    while (!signal.aborted) {
      if (tail.from !== undefined && position < tail.from) {
        for await (const { items, position: scanned } of this.#behind(tail, position, options, signal)) {
          yield { kind: 'events', events: items, position: scanned };
          position = scanned;
        }
      } else if (tail.from !== undefined && position < tail.to) {
        const newest = tail.after(position, limit);
        const events = passes ? newest.filter(passes) : newest;
        position = newest.length === limit ? (newest.at(-1)?.position ?? tail.to) : tail.to;
        if (events.length > 0) yield { kind: 'events', events, position };
      } else if (announced !== position && position >= head) {
        announced = position;
        yield { kind: 'caught_up', position };
      } else await tail.changed.wait(signal);
    }
  }

  /** Pages up to where the tail begins. */
  async *#behind(
    tail: EsdbTail,
    after: Position,
    options: Options,
    signal: AbortSignal,
  ): AsyncGenerator<Page<RecordedEvent>> {
    const limit = pageSizeOf(options);
    const read = async (from: Position): Promise<Page<RecordedEvent> | undefined> => {
      if (from >= (tail.from ?? 0n)) return undefined;
      const page = await this.#persistently(() => this.on.reader.after(from, limit), signal);
      const last = page?.at(-1);
      if (page === undefined || last === undefined) return undefined;
      const items = page.flatMap((stored) => recordedEvent(stored, options.filter) ?? []);
      return { items, position: last.position };
    };
    yield* prefetched(after, read, signal);
  }

  /** Tries until it succeeds or the signal aborts: a subscription outlives its server. */
  async #persistently<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        return await read();
      } catch (err) {
        this.on.logger.warn({ err, failures }, 'reading for a subscription failed, trying again');
        await backoff(failures, signal);
      }
    }
    return undefined;
  }

  #join(): EsdbTail {
    this.#users += 1;
    this.#shared ??= this.#start();
    return this.#shared.tail;
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#stop();
  }

  #start() {
    const tail = new EsdbTail(this.on);
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
