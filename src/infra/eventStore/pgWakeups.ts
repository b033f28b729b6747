import type pg from 'pg';
import type { Logger } from '../../kernel/logger.js';
import { backoff } from './backoff.js';
import { Signal } from '../../kernel/signal.js';

const CHANNEL = 'events_appended';
const MIN_INTERVAL_MS = 20;

/**
 * Tells other processes that the log grew: one NOTIFY for all appends of the last 20 ms, outside their transactions,
 * because a NOTIFY inside one takes a lock of the whole cluster at its commit. It may get lost: readers poll too.
 */
export class PgNotifier {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  #due = false;
  #running: Promise<void> | undefined;

  constructor(pool: pg.Pool, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
  }

  touch(): void {
    this.#due = true;
    this.#running ??= this.#run();
  }

  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#due) {
      this.#due = false;
      try {
        await this.#pool.query({ name: 'notify', text: `SELECT pg_notify('${CHANNEL}', '')` });
      } catch (err) {
        this.#logger.debug({ err }, 'a wake-up was not sent; readers will poll');
      }
      await new Promise((resolve) => setTimeout(resolve, MIN_INTERVAL_MS));
    }
    this.#running = undefined;
  }
}

/** Listens on a connection of its own until the signal aborts, and connects again when it is lost. */
export const listen = async (
  pool: pg.Pool,
  logger: Logger,
  stop: AbortSignal,
  onWake: () => void,
): Promise<void> => {
  let failures = 0;
  while (!stop.aborted) {
    try {
      await listenOnce(pool, stop, () => {
        failures = 0;
        onWake();
      });
    } catch (err) {
      failures += 1;
      logger.warn({ err, failures }, 'not listening for wake-ups, polling until connected again');
      await backoff(failures, stop);
    }
  }
};

/** Resolves at the abort, rejects when the connection is lost. Wakes once when it starts to listen. */
const listenOnce = async (pool: pg.Pool, stop: AbortSignal, onWake: () => void): Promise<void> => {
  const client = await pool.connect();
  const ended = new Signal();
  let lost: Error | undefined;
  const onLost = (error?: Error) => {
    lost ??= error ?? new Error('the connection ended');
    ended.notify();
  };
  client.on('notification', onWake).on('error', onLost).on('end', onLost);
  try {
    await client.query(`LISTEN ${CHANNEL}`);
    onWake();
    while (lost === undefined && !stop.aborted) await ended.wait(stop);
    if (lost !== undefined) throw lost;
  } finally {
    // Thrown away rather than given back: it would go on listening for its next user.
    client.release(true);
  }
};
