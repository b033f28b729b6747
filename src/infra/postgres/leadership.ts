import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../../kernel/logger.js';
import { SILENCE_MS, signsOfLife, watchSession } from '../../kernel/signsOfLife.js';
import { within } from '../../kernel/timeBudget.js';

/**
 * One process at a time does the work of a name: it holds an advisory lock of its database session.
 *
 * - A leader that dies frees the lock at once: the server sees its connection close.
 * - A leader that hangs, or is cut off, stops asking for signs of life, and the server ends a session that has been
 *   idle for SILENCE_MS. One whose machine is gone is found out by the server's TCP keepalive in the same time.
 * - Who asks and gets no answer for half of that time, leader or stand-by, begins anew on another connection.
 * - A leader that was thought dead and goes on is stopped as soon as it notices, which may be after it has begun
 *   another step. What it writes down must therefore be fenced (PgCheckpoint compares before it sets).
 */
export interface LeadershipOptions {
  readonly pool: Pool;
  readonly logger: Logger;
  /** What is led, e.g. `bus:recovery-saga`. */
  readonly name: string;
  /** How long a leader may be silent. */
  readonly silenceMs?: number;
  readonly onStanding?: (standing: Standing) => void;
}

/** `ending`: it has lost the lead, or the connection to ask for it on, and may still be at what it had in hand. */
export type Standing = 'standing by' | 'leading' | 'ending';

const STAND_AGAIN_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;

const noAnswer = (): Error => new Error('the database does not answer on the connection of the lead');

/** The one session that holds the lead, or will. Each statement rejects when its answer takes too long. */
class Session {
  constructor(
    private readonly client: PoolClient,
    private readonly silenceMs: number,
  ) {}

  async watch(): Promise<void> {
    await this.#answer(watchSession(this.client, this.silenceMs));
  }

  /** Waits for its turn. */
  async elected(name: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#tryLock(name)))
      await sleep(STAND_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }

  /** Until the work is over. */
  staysAlive(over: AbortSignal): Promise<void> {
    return signsOfLife(over, () => this.#answer(this.client.query('SELECT')), this.silenceMs);
  }

  async #tryLock(name: string): Promise<boolean> {
    const text = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked';
    const { rows } = await this.#answer(this.client.query<{ locked: boolean }>(text, [name]));
    return rows[0]?.locked === true;
  }

  #answer<T>(statement: Promise<T>): Promise<T> {
    return within(this.silenceMs / 2, statement, noAnswer);
  }
}

/** @throws when the session is lost */
const leadOnce = async (
  { pool, name, silenceMs = SILENCE_MS, onStanding = () => undefined }: LeadershipOptions,
  signal: AbortSignal,
  work: (elected: AbortSignal) => Promise<void>,
): Promise<void> => {
  const client = await pool.connect();
  const lost = new AbortController();
  const over = new AbortController();
  const onLoss = (error?: Error): void =>
    lost.abort(error ?? new Error('the connection that held the lead ended'));
  client.on('error', onLoss);
  client.on('end', onLoss);
  try {
    const leading = AbortSignal.any([signal, lost.signal]);
    leading.addEventListener('abort', () => onStanding('ending'), { once: true });
    const session = new Session(client, silenceMs);
    await session.watch(); // before it can hold the lead: one that goes silent then must not keep it
    onStanding('standing by');
    await session.elected(name, leading);
    if (!leading.aborted) {
      onStanding('leading');
      session.staysAlive(over.signal).catch(onLoss);
      await work(leading).finally(() => over.abort());
    }
    lost.signal.throwIfAborted();
  } finally {
    onStanding('ending');
    client.off('end', onLoss);
    client.release(true); // closing the session frees the lock; its last errors still find a listener
  }
};

/**
 * Stands for election until `signal` aborts, and works whenever elected. The work ends when its signal aborts; when
 * it ends or fails by itself, the lead is given up and sought again, after a pause that grows while it keeps failing.
 */
export const lead = async (
  options: LeadershipOptions,
  signal: AbortSignal,
  work: (elected: AbortSignal) => Promise<void>,
): Promise<void> => {
  for (let failures = 0; !signal.aborted;) {
    const started = performance.now();
    try {
      await leadOnce(options, signal, work);
      failures = 0;
    } catch (error) {
      failures = performance.now() - started > LONGEST_PAUSE_MS ? 1 : failures + 1;
      if (!signal.aborted) options.logger.warn({ err: error, name: options.name, failures }, 'lead given up');
    }
    const pause = Math.min(STAND_AGAIN_MS * 2 ** Math.max(0, failures - 1), LONGEST_PAUSE_MS);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
};
