import type pg from 'pg';
import type { Logger } from '../../kernel/logger.js';
import { Signal } from '../../kernel/signal.js';
import { backoff } from './backoff.js';
import { NewestEvents } from './newestEvents.js';
import { readHead, readNewest } from './pgReader.js';
import type { Tail } from './subscriptions.js';
import { listen } from './pgWakeups.js';

const PAGE = 1000;

/**
 * Reads what came after the last event it holds whenever it is woken: by an append of this process, by a notification
 * of another, by its own poll.
 */
export class PgTail implements Tail {
  readonly newest = new NewestEvents();
  readonly changed = new Signal();
  readonly #woken = new Signal();
  #wakes = 0;
  #begun = 0;
  #done = 0;

  /** @param pollMs how often the log is looked at when no wake-up comes */
  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
    private readonly pollMs: number,
  ) {}

  wake(): void {
    this.#wakes += 1;
    this.#woken.notify();
  }

  /** Waits until a read that began after this call has ended: it holds every append made before it. */
  async sync(signal: AbortSignal): Promise<void> {
    const target = this.#begun + 1;
    this.wake();
    while (this.#done < target && !signal.aborted) await this.changed.wait(signal);
  }

  async run(stop: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(stop), listen(this.pool, this.logger, stop, () => this.wake())]);
    this.newest.clear();
  }

  async #follow(stop: AbortSignal): Promise<void> {
    let failures = 0;
    while (!stop.aborted) {
      const wakes = this.#wakes;
      try {
        const more = await this.#read();
        failures = 0;
        if (!more && wakes === this.#wakes) await this.#woken.wait(stop, this.pollMs);
      } catch (err) {
        failures += 1;
        this.logger.warn({ err, failures }, 'reading the newest events failed, trying again');
        await backoff(failures, stop);
      }
    }
  }

  /** True when there may be more to read at once. */
  async #read(): Promise<boolean> {
    const number = ++this.#begun;
    if (this.newest.from === undefined) {
      this.newest.begin(await readHead(this.pool));
      this.#finished(number);
      return false;
    }
    const { events, sizes } = await readNewest(this.pool, this.newest.to, PAGE);
    for (const [index, event] of events.entries()) this.newest.add(event, sizes[index] ?? 0);
    const more = events.length === PAGE;
    if (more) this.changed.notify();
    else this.#finished(number);
    return more;
  }

  #finished(number: number): void {
    this.#done = number;
    this.changed.notify();
  }
}
