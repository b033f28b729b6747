import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Logger } from '../../kernel/logger.js';
import { backoff } from '../eventStore/pgErrors.js';
import { Signal } from '../../kernel/signal.js';
import type { EsdbAddress } from './esdbAddress.js';
import { EsdbClient } from './esdbClient.js';
import { leaderOf } from './esdbErrors.js';
import { recordedEvent, type StoredEvent, storedEvent } from './esdbEvents.js';
import type { EsdbReader } from './esdbReader.js';
import { subscribeRequest } from './esdbRequests.js';

/*
 * The newest events of the log, from one subscription for the whole process. It keeps a bounded run of what came, in
 * order: everything of ours in (from, to]. A subscription that stands inside the run is served from memory; one that
 * fell behind it reads pages.
 *
 *   head ─▶ subscribe after `to` ─▶ events move `to` ──── lost, dropped, ended ────▶ pause, subscribe after `to` again
 *                                       └─ the head moved on and nothing came, twice ─▶ the same
 *
 * `to` moves with events only, in the order in which they are handled: what the server says about checkpoints and
 * about having caught up is not used.
 */

const MAX_CHARS = 16 * 1024 * 1024;

export interface EsdbTailOptions {
  readonly address: EsdbAddress;
  readonly reader: EsdbReader;
  readonly logger: Logger;
  /** How often a subscription is compared with the head. */
  readonly watchMs: number;
  /** How many events are kept at most. */
  readonly keptEvents: number;
}

export class EsdbTail {
  readonly changed = new Signal();
  #events: RecordedEvent[] = [];
  #sizes: number[] = [];
  #chars = 0;
  #from: Position | undefined;
  #to: Position = 0n;
  #failures = 0;
  #leader: ReturnType<typeof leaderOf>;
  #telling: NodeJS.Immediate | undefined;

  constructor(private readonly options: EsdbTailOptions) {}

  /** Before the oldest event held; undefined until the head is known. */
  get from(): Position | undefined {
    return this.#from;
  }

  /** How far the log is known without a gap. */
  get to(): Position {
    return this.#to;
  }

  /** At most `limit` events after a position inside the run. */
  after(position: Position, limit: number): readonly RecordedEvent[] {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.position ?? 0n) > position) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low, low + limit);
  }

  /** Follows the log until the signal aborts; then forgets what it held. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#follow(stop);
      } catch (err) {
        if (stop.aborted) break;
        this.#leader = leaderOf(err);
        this.#failures += 1;
        const failures = this.#failures;
        this.options.logger.warn({ err, failures }, 'event subscription lost, subscribing again');
        await backoff(failures, stop);
      }
    }
    this.#events = [];
    this.#sizes = [];
    this.#chars = 0;
    this.#from = undefined;
  }

  async #follow(stop: AbortSignal): Promise<void> {
    if (this.#from === undefined) {
      this.#from = this.#to = await this.options.reader.head();
      this.changed.notify();
    }
    const silent = new AbortController();
    const signal = AbortSignal.any([stop, silent.signal]);
    const client = new EsdbClient(this.options.address, this.#leader);
    const watching = this.#watch(signal, () => silent.abort());
    try {
      for await (const response of client.read(subscribeRequest(this.#to), { signal })) {
        this.#failures = 0;
        const event = storedEvent(response);
        if (event !== undefined) this.#keep(event);
      }
      throw new Error('the subscription ended');
    } finally {
      client.close();
      silent.abort();
      await watching;
    }
  }

  /** A subscription may fall silent without an error: then the head moves on and nothing comes. */
  async #watch(signal: AbortSignal, onSilence: () => void): Promise<void> {
    let missed: { readonly head: Position; readonly to: Position } | undefined;
    const pause = new Signal();
    for (;;) {
      await pause.wait(signal, this.options.watchMs);
      if (signal.aborted) return;
      if (missed !== undefined && missed.to === this.#to) {
        this.options.logger.warn({ ...missed }, 'the subscription is silent although the log went on');
        onSilence();
        return;
      }
      const to = this.#to;
      const head = await this.options.reader.head().catch(() => to);
      missed = head > to ? { head, to } : undefined;
    }
  }

  #keep(stored: StoredEvent): void {
    if (stored.position <= this.#to) return;
    const event = recordedEvent(stored);
    if (event !== undefined) {
      const size = stored.data.length + stored.metadata.length;
      this.#events.push(event);
      this.#sizes.push(size);
      this.#chars += size;
      if (this.#events.length > this.options.keptEvents || this.#chars > MAX_CHARS) this.#forget();
    }
    this.#to = stored.position;
    this.#tell();
  }

  /** Once for all that came together. */
  #tell(): void {
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      this.changed.notify();
    });
  }

  /** Drops the oldest down to half the bound, so that dropping is rare. */
  #forget(): void {
    let count = 0;
    while (
      this.#events.length - count > 1 &&
      (this.#events.length - count > this.options.keptEvents / 2 || this.#chars > MAX_CHARS / 2)
    ) {
      this.#chars -= this.#sizes[count] ?? 0;
      count += 1;
    }
    const [last] = this.#events.slice(count - 1, count);
    this.#events.splice(0, count);
    this.#sizes.splice(0, count);
    if (last !== undefined) this.#from = last.position;
  }
}
