import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import type { Faults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { applyBatch } from './apply.js';
import { type Failure, failureOf, isProjectionError } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, beat, type Generation, setError, standingOf } from './generations.js';
import type { Positions } from './positions.js';
import { rebuild } from './rebuild.js';
import { type Gathered, Tail } from './tail.js';
import type { Turns } from './turns.js';
import { Backoff, pause } from './wait.js';

const HEARTBEAT_MS = 5_000;
/** How often a runner that may not go on looks whether it may. */
const IDLE_MS = 500;
const PAGE = 1_000;
const BATCH = 2_000;
/** A new projection with more events than this before it is built by a rebuild rather than live. */
const LONG_LOG = 20_000;
/** How often to look whether the rebuild of another process is done. */
const LOOK_AGAIN_MS = 1_000;

export interface RunnerDependencies {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly positions: Positions;
  readonly logger: Logger;
  readonly faults: Faults;
  readonly turns: Turns;
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps one read model up with the log. Any number of processes may run one: the compare-and-set lets one of them
 * move, the others reload and go on from there.
 *
 *   look ── none, paused, or folded by newer code ──▶ wait, look again
 *     ├── folded by older code, or a long log not begun ──▶ wait for a turn, rebuild, look
 *     └─▶ tail from the checkpoint: gather, apply ──▶ moved: go on
 *                                    ├─▶ not moved (another worker, swap, rollback, pause): look
 *                                    ├─▶ event failed: say so, wait with backoff or for a resume, look
 *                                    └─▶ database lost: wait with backoff, look
 */
export class Runner {
  readonly #backoff = new Backoff(100, 5_000);
  readonly #failures = new Backoff(1_000, 60_000);
  readonly #log: Logger;
  /** It has folded here. A table that differs afterwards without a raised version is another process's doing. */
  #settled = false;

  constructor(
    private readonly model: Model,
    private readonly on: RunnerDependencies,
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
        this.on.onError(err);
        await pause(this.#backoff.next(), signal);
      }
    }
    this.on.positions.report(this.model.name, undefined);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const active = await activeOf(this.on.pool, this.model.name);
    try {
      if (active && (await this.#isToRebuild(active))) await this.#rebuild(signal);
      else if (active && !active.paused && standingOf(this.model, active) === 'current')
        await this.#follow(active, signal);
      else await this.#wait(active, signal);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      await this.#fail(error, failure, signal);
    }
  }

  async #wait(active: Generation | undefined, signal: AbortSignal): Promise<void> {
    this.on.positions.report(this.model.name, undefined);
    if (active?.paused) await beat(this.on.pool, active);
    await pause(IDLE_MS, signal);
  }

  async #isToRebuild(active: Generation): Promise<boolean> {
    if (active.paused) return false;
    const standing = standingOf(this.model, active);
    if (standing !== 'current') return standing === 'older' || (standing === 'changed' && !this.#settled);
    if (active.position > 0n) return false;
    return (await this.on.store.lag(0n, this.model.projection.events, LONG_LOG)).events >= LONG_LOG;
  }

  /** The rows are served, and folded on by processes of their version, until the new ones are swapped in. */
  async #rebuild(signal: AbortSignal): Promise<void> {
    const { pool, positions, turns } = this.on;
    positions.report(this.model.name, undefined);
    try {
      await turns.take(this.model, async () => {
        if (signal.aborted) return;
        const active = await activeOf(pool, this.model.name);
        if (!active || !(await this.#isToRebuild(active))) return; // another process did it meanwhile
        this.#log.info(
          { version: this.model.projection.version },
          'rebuilding the projection for this version',
        );
        await rebuild(this.on, [this.model], { signal });
      });
    } catch (error) {
      if (!isProjectionError(error) || error.code !== 'rebuild_running') throw error;
      await pause(LOOK_AGAIN_MS, signal);
    }
  }

  async #follow(from: Generation, signal: AbortSignal): Promise<void> {
    this.#settled = true;
    this.on.positions.report(this.model.name, from.position);
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

  /** What could be folded is stored by now. Waits for the next try, or until an operator resumes. */
  async #fail(err: unknown, failure: Failure, signal: AbortSignal): Promise<void> {
    const { position, event_id } = failure;
    this.#log.error({ err, position, event_id }, 'projection stopped');
    this.on.onError(err);
    const active = await activeOf(this.on.pool, this.model.name);
    if (active === undefined) return;
    await setError(this.on.pool, active, failure);
    for (let left = this.#failures.next(); left > 0 && !signal.aborted; left -= IDLE_MS) {
      await pause(Math.min(left, IDLE_MS), signal);
      if (!(await beat(this.on.pool, active))) return;
    }
  }
}
