import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import type { Faults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { applyBatch } from './apply.js';
import { EventFailure, failureOf } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, beat, type Generation, isCurrent, setError } from './generations.js';
import type { Positions } from './positions.js';
import { type Gathered, Tail } from './tail.js';
import { Backoff, pause } from './wait.js';

const HEARTBEAT_MS = 5_000;
/** How often a runner that may not go on looks whether it may. */
const IDLE_MS = 500;
const PAGE = 1_000;
const BATCH = 2_000;

export interface RunnerDependencies {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly positions: Positions;
  readonly logger: Logger;
  readonly faults: Faults;
}

/**
 * Keeps one read model up with the log. Any number of processes may run one: the compare-and-set lets one of them
 * move, the others reload and go on from there.
 *
 *   look ── none, paused or of another fold version ──▶ wait, look again
 *     └─▶ tail from the checkpoint: gather, apply ──▶ moved: go on
 *                                    ├─▶ not moved (another worker, swap, rollback, pause): look
 *                                    ├─▶ event failed: say so, wait with backoff or for a resume, look
 *                                    └─▶ database lost: wait with backoff, look
 */
export class Runner {
  readonly #backoff = new Backoff(100, 5_000);
  readonly #failures = new Backoff(1_000, 60_000);
  readonly #log: Logger;

  constructor(
    private readonly model: Model,
    private readonly on: RunnerDependencies,
    /** True while the table is about to be replaced: then the work is left to the rebuild. */
    private readonly isHeld: () => boolean = () => false,
  ) {
    this.#log = on.logger.child({ projection: model.name });
  }

  /** Runs until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look(signal);
      } catch (err) {
        if (signal.aborted) break;
        this.#log.warn({ err }, 'projection interrupted; trying again');
        await pause(this.#backoff.next(), signal);
      }
    }
    this.on.positions.report(this.model.name, undefined);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const active = await activeOf(this.on.pool, this.model.name);
    if (active === undefined || active.paused || this.isHeld() || !isCurrent(this.model, active)) {
      this.on.positions.report(this.model.name, undefined);
      if (active?.paused) await beat(this.on.pool, active);
      await pause(IDLE_MS, signal);
      return;
    }
    this.on.positions.report(this.model.name, active.position);
    try {
      await this.#follow(active, signal);
    } catch (error) {
      if (!(error instanceof EventFailure)) throw error;
      await this.#fail(error, signal);
    }
  }

  async #follow(from: Generation, signal: AbortSignal): Promise<void> {
    const types = this.model.projection.events;
    const tail = new Tail(
      (stop) =>
        this.on.store.subscribe({ after: from.position, filter: { types }, pageSize: PAGE, signal: stop }),
      BATCH,
      signal,
    );
    try {
      let at = from;
      while (!signal.aborted) {
        const gathered = await tail.take(HEARTBEAT_MS);
        if (signal.aborted) return;
        const next = gathered ? await this.#apply(at, gathered) : await this.#idle(at);
        if (!next) return;
        at = next;
        this.#backoff.reset();
      }
    } finally {
      await tail.close();
    }
  }

  async #idle(at: Generation): Promise<false | Generation> {
    return (await beat(this.on.pool, at)) && at;
  }

  async #apply(at: Generation, gathered: Gathered): Promise<false | Generation> {
    if (gathered.position <= at.position) return at;
    const { pool, faults, positions } = this.on;
    const next = await applyBatch(pool, this.model, at, gathered, () => faults('projector:before-commit'));
    if (!next) return false;
    faults('projector:after-commit');
    positions.report(this.model.name, next.position);
    if (gathered.events.length > 0) this.#failures.reset();
    return next;
  }

  /** The rows before the event are stored by now. Waits for the next try, or until an operator resumes. */
  async #fail(failure: EventFailure, signal: AbortSignal): Promise<void> {
    this.#log.error({ err: failure, ...failureOf(failure) }, 'projection stopped at an event');
    const active = await activeOf(this.on.pool, this.model.name);
    if (active === undefined) return;
    await setError(this.on.pool, active, failureOf(failure));
    this.on.positions.report(this.model.name, active.position);
    for (let left = this.#failures.next(); left > 0 && !signal.aborted; left -= IDLE_MS) {
      await pause(Math.min(left, IDLE_MS), signal);
      if (!(await beat(this.on.pool, active))) return;
    }
  }
}
