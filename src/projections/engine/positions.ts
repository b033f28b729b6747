import type pg from 'pg';
import type { Position } from '../../events/envelope.js';
import type { Logger } from '../../kernel/logger.js';
import { pause } from './wait.js';

const POLL_MS = 25;
/** With a runner in this process the database is asked only in case another process got ahead of it. */
const POLL_BEHIND_RUNNER_MS = 250;

interface Waiter {
  readonly name: string;
  readonly position: Position;
  readonly done: (reached: boolean) => void;
}

/** How far each projection is, and who waits for it: told by the runners of this process, else asked of the database. */
export class Positions {
  readonly #known = new Map<string, Position>();
  readonly #local = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  #polling = false;

  constructor(
    private readonly pool: pg.Pool,
    private readonly logger: Logger,
  ) {}

  /** A runner of this process has the projection in hand, or (undefined) lets go of it. */
  report(name: string, position: Position | undefined): void {
    if (position === undefined) {
      this.#local.delete(name);
      return;
    }
    this.#local.add(name);
    this.#learn(name, position);
  }

  async positionOf(name: string): Promise<Position> {
    if (!this.#local.has(name)) await this.#ask([name]);
    return this.#known.get(name) ?? 0n;
  }

  /** True once the served rows hold every event up to `position`; false after `timeoutMs`. */
  async waitFor(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    if ((await this.positionOf(name)) >= position) return true;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        name,
        position,
        done: (reached) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => waiter.done(false), timeoutMs);
      this.#waiters.add(waiter);
      void this.#poll();
    });
  }

  #learn(name: string, position: Position): void {
    this.#known.set(name, position);
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

  async #ask(names: readonly string[]): Promise<void> {
    const { rows } = await this.pool.query<{ name: string; position: string }>({
      name: 'projection positions',
      text: `SELECT name, position FROM projection_generations WHERE state = 'active' AND name = ANY ($1)`,
      values: [names],
    });
    for (const { name, position } of rows) this.#learn(name, BigInt(position));
  }
}
