import type pg from 'pg';
import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Logger } from '../../kernel/logger.js';
import { backoff } from './pgErrors.js';
import { readHead, readNewest } from './pgReader.js';
import { Signal } from '../../kernel/signal.js';

/*
 * The newest events of the log, read once for all subscriptions of the process. One loop reads what came after the
 * last event it holds whenever it is woken (by an append of this process, by a notification, by its own poll), and
 * keeps a bounded, gapless run of events (from, to]. A subscription that stands inside the run is served from memory;
 * one that fell behind it reads pages from the table until it is back.
 */

const MAX_EVENTS = 8192;
const MAX_CHARS = 16 * 1024 * 1024;
const PAGE = 1000;

export class PgTail {
  readonly changed = new Signal();
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  readonly #pollMs: number;
  readonly #woken = new Signal();
  #events: RecordedEvent[] = [];
  #sizes: number[] = [];
  #chars = 0;
  #from: Position | undefined;
  #wakes = 0;
  #begun = 0;
  #done = 0;

  constructor(pool: pg.Pool, logger: Logger, pollMs: number) {
    this.#pool = pool;
    this.#logger = logger;
    this.#pollMs = pollMs;
  }

  /** Before the oldest event held; undefined until the head is known. */
  get from(): Position | undefined {
    return this.#from;
  }

  get to(): Position {
    return (this.#from ?? 0n) + BigInt(this.#events.length);
  }

  wake(): void {
    this.#wakes += 1;
    this.#woken.notify();
  }

  /** Waits until a read that began after this call has ended: the run then holds every append made before it. */
  async sync(abort: AbortSignal): Promise<void> {
    const target = this.#begun + 1;
    this.wake();
    while (this.#done < target && !abort.aborted) await this.changed.wait(abort);
  }

  /** At most `limit` events after a position inside the run. */
  after(position: Position, limit: number): readonly RecordedEvent[] {
    const start = Number(position - (this.#from ?? 0n));
    return this.#events.slice(start, start + limit);
  }

  /** Reads until the signal aborts; then forgets what it held. */
  async run(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      const wakes = this.#wakes;
      try {
        const more = await this.#read();
        failures = 0;
        if (!more && wakes === this.#wakes) await this.#woken.wait(stop, this.#pollMs);
      } catch (err) {
        failures += 1;
        this.#logger.warn({ err, failures }, 'reading the newest events failed, trying again');
        await backoff(failures, stop);
      }
    }
    this.#events = [];
    this.#sizes = [];
    this.#chars = 0;
    this.#from = undefined;
  }

  /** True when there may be more to read at once. */
  async #read(): Promise<boolean> {
    const number = ++this.#begun;
    if (this.#from === undefined) {
      this.#from = await readHead(this.#pool);
      this.#finished(number);
      return false;
    }
    const { events, sizes } = await readNewest(this.#pool, this.to, PAGE);
    if (events.length > 0) this.#keep(events, sizes);
    const more = events.length === PAGE;
    if (more) this.changed.notify();
    else this.#finished(number);
    return more;
  }

  #finished(number: number): void {
    this.#done = number;
    this.changed.notify();
  }

  #keep(events: readonly RecordedEvent[], sizes: readonly number[]): void {
    this.#events.push(...events);
    this.#sizes.push(...sizes);
    for (const size of sizes) this.#chars += size;
    if (this.#events.length > MAX_EVENTS || this.#chars > MAX_CHARS) this.#forget();
  }

  /** Drops the oldest down to half the bound, so that dropping is rare. */
  #forget(): void {
    let count = 0;
    while (
      this.#events.length - count > 1 &&
      (this.#events.length - count > MAX_EVENTS / 2 || this.#chars > MAX_CHARS / 2)
    ) {
      this.#chars -= this.#sizes[count] ?? 0;
      count += 1;
    }
    this.#events.splice(0, count);
    this.#sizes.splice(0, count);
    this.#from = (this.#from ?? 0n) + BigInt(count);
  }
}
