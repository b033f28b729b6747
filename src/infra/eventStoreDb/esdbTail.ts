import type { Logger } from '../../kernel/logger.js';
import { orAborted, Signal } from '../../kernel/signal.js';
import { backoff, persistently } from '../eventStore/backoff.js';
import { NewestEvents } from '../eventStore/newestEvents.js';
import type { Tail } from '../eventStore/subscriptions.js';
import type { EsdbAddress } from './esdbAddress.js';
import { EsdbClient } from './esdbClient.js';
import { leaderOf } from './esdbErrors.js';
import { recordedEvent, type StoredEvent, storedEvent } from './esdbEvents.js';
import type { EsdbReader } from './esdbReader.js';
import { subscribeRequest } from './esdbRequests.js';

/*
 * One subscription to $all for the whole process.
 *
 *   head ─▶ subscribe after `to` ─▶ events move `to` ──── lost, dropped, ended ────▶ pause, subscribe after `to` again
 *                                       └─ the head moved on and nothing came, twice ─▶ the same
 *
 * `to` moves with events only, in the order in which they are handled: what the server says about checkpoints and
 * about having caught up is not used.
 */

export interface EsdbTailOptions {
  readonly address: EsdbAddress;
  readonly reader: EsdbReader;
  readonly logger: Logger;
  /** How often a subscription is compared with the head. */
  readonly watchMs: number;
  /** How many events are kept at most. */
  readonly keptEvents?: number | undefined;
}

export class EsdbTail implements Tail {
  readonly newest: NewestEvents;
  readonly changed = new Signal();
  #failures = 0;
  #leader: ReturnType<typeof leaderOf>;
  #telling: NodeJS.Immediate | undefined;

  constructor(private readonly options: EsdbTailOptions) {
    this.newest = new NewestEvents(options.keptEvents);
  }

  async sync(signal: AbortSignal): Promise<void> {
    const { reader, logger } = this.options;
    const head = await orAborted(
      persistently(() => reader.head(), logger, signal),
      signal,
    );
    while (head !== undefined && this.newest.to < head && !signal.aborted) await this.changed.wait(signal);
  }

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
    this.newest.clear();
  }

  async #follow(stop: AbortSignal): Promise<void> {
    if (this.newest.from === undefined) {
      this.newest.begin(await this.options.reader.head());
      this.changed.notify();
    }
    const silent = new AbortController();
    const signal = AbortSignal.any([stop, silent.signal]);
    const client = new EsdbClient(this.options.address, this.#leader);
    const watching = this.#watch(signal, () => silent.abort());
    try {
      for await (const response of client.read(subscribeRequest(this.newest.to), { signal })) {
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
    let missed: { readonly head: bigint; readonly to: bigint } | undefined;
    const pause = new Signal();
    for (;;) {
      await pause.wait(signal, this.options.watchMs);
      if (signal.aborted) return;
      const { to } = this.newest;
      if (missed?.to === to) {
        this.options.logger.warn({ ...missed }, 'the subscription is silent although the log went on');
        onSilence();
        return;
      }
      const head = await this.options.reader.head().catch(() => to);
      missed = head > to ? { head, to } : undefined;
    }
  }

  #keep(stored: StoredEvent): void {
    if (stored.position <= this.newest.to) return;
    const event = recordedEvent(stored);
    if (event === undefined) this.newest.pass(stored.position);
    else this.newest.add(event, stored.data.length + stored.metadata.length);
    this.#tell();
  }

  /** Once for all that came together. */
  #tell(): void {
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      this.changed.notify();
    });
  }
}
