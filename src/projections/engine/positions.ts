import type pg from 'pg';
import type { Position } from '../../events/envelope.js';
import type { Logger } from '../../kernel/logger.js';
import { pause } from './wait.js';

const POLL_MS = 25;
/** With a runner in this process the database is asked again only in case another process got ahead of it. */
const POLL_BEHIND_RUNNER_MS = 250;

interface Waiter {
  readonly name: string;
  readonly position: Position;
  readonly done: (reached: boolean) => void;
}

/**
 * How far the rows served are, and who waits for them. The database is asked first, because another process may have
 * swapped or rolled back the table; whoever has to wait is woken by the runner of this process, if there is one.
 */
export class Positions {
  readonly #local = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  #polling = false;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
  ) {}

  /** A runner of this process has brought the served rows so far, or (undefined) lets go of them. */
  report(name: string, position: Position | undefined): void {
    if (position === undefined) {
      this.#local.delete(name);
      return;
    }
    this.#local.add(name);
    this.#wake(name, position);
  }

  async positionOf(name: string): Promise<Position> {
    return (await this.#ask([name])).get(name) ?? 0n;
  }

  /** True once the served rows hold every event up to `position`; false after `timeoutMs`. */
  waitFor(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const done = (reached: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(reached);
      };
      const waiter: Waiter = { name, position, done };
      const timer = setTimeout(() => done(false), timeoutMs);
      this.#waiters.add(waiter);
      this.#ask([name])
        .then(() => this.#poll())
        .catch((error: unknown) => {
          reject(error as Error);
          done(false);
        });
    });
  }

  #wake(name: string, position: Position): void {
    for (const waiter of this.#waiters) {
      if (waiter.name === name && waiter.position <= position) waiter.done(true);
    }
  }

  /** One poll serves every waiter, and stops with the last. */
  async #poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    while (this.#waiters.size > 0) {
      const names = [...new Set([...this.#waiters].map(({ name }) => name))];
      const local = names.every((name) => this.#local.has(name));
      await pause(local ? POLL_BEHIND_RUNNER_MS : POLL_MS);
      if (this.#waiters.size === 0) break;
      await this.#ask(names).catch((err: unknown) =>
        this.logger.warn({ err }, 'cannot ask how far the projections are'),
      );
    }
    this.#polling = false;
  }

  async #ask(names: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    const { rows } = await this.pool.query<{ name: string; position: string }>({
      name: 'projection positions',
      text: `SELECT name, position FROM projection_generations WHERE state = 'active' AND name = ANY ($1)`,
      values: [names],
    });
    const found = new Map(rows.map(({ name, position }) => [name, BigInt(position)]));
    for (const [name, position] of found) this.#wake(name, position);
    return found;
  }
}
