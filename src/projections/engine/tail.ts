import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Delivery } from '../../events/eventStore.js';

/** Every delivery that had come in, as one. */
export interface Gathered {
  readonly events: readonly RecordedEvent[];
  readonly position: Position;
}

/**
 * Reads ahead of a consumer, up to a bound, and hands over all that came in since it last asked: single events while
 * it keeps up, large batches while it is behind.
 */
export class Tail {
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #events: RecordedEvent[] = [];
  #position: Position | undefined;
  #ended = false;
  #error: unknown;
  #wakeConsumer: () => void = () => undefined;
  #wakeReader: () => void = () => undefined;

  /** @param maxEvents reading pauses while this many wait */
  constructor(
    open: (signal: AbortSignal) => AsyncIterable<Delivery>,
    private readonly maxEvents: number,
    signal: AbortSignal,
  ) {
    const both = AbortSignal.any([signal, this.#stop.signal]);
    both.addEventListener('abort', () => {
      this.#wakeConsumer();
      this.#wakeReader();
    });
    this.#reading = this.#read(open(both), both)
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#ended = true;
        this.#wakeConsumer();
      });
  }

  /** What came in; undefined when nothing did for `timeoutMs`, or when the source ended or was stopped. Throws what the source threw. */
  async take(timeoutMs: number): Promise<Gathered | undefined> {
    if (this.#position === undefined && !this.#ended && !this.#stop.signal.aborted)
      await this.#wait(timeoutMs);
    if (this.#position === undefined) {
      if (this.#error !== undefined) throw this.#error as Error;
      return undefined;
    }
    const gathered = { events: this.#events, position: this.#position };
    this.#events = [];
    this.#position = undefined;
    this.#wakeReader();
    return gathered;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(source: AsyncIterable<Delivery>, signal: AbortSignal): Promise<void> {
    for await (const delivery of source) {
      if (signal.aborted) return;
      if (delivery.kind === 'events') for (const event of delivery.events) this.#events.push(event);
      this.#position = delivery.position;
      this.#wakeConsumer();
      while (this.#events.length >= this.maxEvents && !signal.aborted)
        await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  async #wait(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wakeConsumer = resolve;
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
    this.#wakeConsumer = () => undefined;
  }
}
