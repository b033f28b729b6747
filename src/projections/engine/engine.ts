import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { type Faults, noFaults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { asOf, type Moment } from './asOf.js';
import { ensureTables, swapBack } from './ensure.js';
import { ProjectionError } from './errors.js';
import { type AnyProjection, type Model, modelOf } from './fold.js';
import { type Generation, generationsOf, setPaused, standingOf } from './generations.js';
import { live } from './live.js';
import { withRebuildLock } from './lock.js';
import { Positions } from './positions.js';
import type { Row } from './projection.js';
import { dropLeftovers, rebuild, type RebuildOptions, type RebuildResult } from './rebuild.js';
import { rebuildOrg } from './rebuildOrg.js';
import { healthOf, type ModelHealth } from './health.js';
import { type ProjectionStatus, statusOf } from './status.js';

export interface EngineDependencies {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly projections: readonly AnyProjection[];
  readonly logger: Logger;
  readonly faults?: Faults;
  /** Told of every failure of a running projection, beside the log. */
  readonly onError?: (error: unknown) => void;
}

export interface ProjectionListing {
  readonly name: string;
  readonly version: number;
  readonly events: readonly string[];
}

/** Everything that is done with read models: one facade for API, workers and CLI. */
export class ProjectionEngine {
  readonly #on: Required<EngineDependencies>;
  readonly #models: ReadonlyMap<string, Model>;
  readonly #positions: Positions;

  constructor(on: EngineDependencies) {
    this.#on = {
      ...on,
      faults: on.faults ?? noFaults,
      onError: on.onError ?? (() => undefined),
      logger: on.logger.child({ component: 'projections' }),
    };
    this.#models = new Map(on.projections.map(modelOf).map((model) => [model.name, model]));
    this.#positions = new Positions(on.pool, this.#on.logger);
  }

  /**
   * The same for processes that fold alike. Those of two releases elect a projector each: the older one folds on what
   * is served while the newer one builds what it has changed, and neither waits for the other.
   */
  get release(): string {
    const folds = this.list().map(({ name, version }) => [name, version, this.#model(name).definition]);
    return createHash('sha256').update(JSON.stringify(folds)).digest('hex').slice(0, 12);
  }

  /** Makes tables and views, so that readers can query them. Every process calls it at start-up, after migrations. */
  ensure(): Promise<void> {
    return ensureTables(this.#on.pool, [...this.#models.values()]);
  }

  /** Keeps the read models up with the log until the signal aborts; rebuilds those whose fold changed. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return live({ ...this.#on, positions: this.#positions }, [...this.#models.values()], signal);
  }

  /**
   * Folds projections anew while the old rows are served, then swaps them in.
   * @throws ProjectionError `unknown_projection`, `rebuild_running`; EventFailure
   */
  async rebuild(names: readonly string[] | 'all', options: RebuildOptions = {}): Promise<RebuildResult> {
    const models =
      names === 'all' ? [...this.#models.values()] : [...new Set(names)].map((name) => this.#model(name));
    return options.org === undefined
      ? rebuild(this.#on, models, options)
      : rebuildOrg(this.#on, models, options.org, options);
  }

  /**
   * Serves the table from before the last rebuild again; once more undoes it.
   * @throws ProjectionError `no_previous_generation`, `version_mismatch` when another version folded that table
   */
  async rollback(name: string): Promise<void> {
    const model = this.#model(name);
    await withRebuildLock(this.#on.pool, [name], async (client) => {
      await dropLeftovers(client, model);
      const generations = await generationsOf(client, [name]);
      const active = generations.find(({ state }) => state === 'active');
      const previous = generations.find(({ state }) => state === 'previous');
      if (!active || !previous)
        throw new ProjectionError('no_previous_generation', `${name} has no earlier table to go back to`);
      mustBeCurrent(model, previous);
      await swapBack(client, model, active, previous);
    });
  }

  async pause(name: string): Promise<void> {
    await this.#setPaused(name, true);
  }

  /** Also makes a failed projection try again at once. */
  async resume(name: string): Promise<void> {
    await this.#setPaused(name, false);
  }

  list(): ProjectionListing[] {
    return [...this.#models.values()].map(({ name, projection }) => ({
      name,
      version: projection.version,
      events: projection.events,
    }));
  }

  status(): Promise<ProjectionStatus[]> {
    return statusOf(this.#on.store, this.#on.pool, [...this.#models.values()]);
  }

  /** What a probe may ask every second. */
  health(): Promise<ModelHealth[]> {
    return healthOf(this.#on.store, this.#on.pool, [...this.#models.values()]);
  }

  positionOf(name: string): Promise<Position> {
    return this.#positions.positionOf(this.#model(name).name);
  }

  /** True once the rows served hold every event up to `position`, false when `timeoutMs` passed first. */
  waitFor(name: string, position: Position, timeoutMs: number): Promise<boolean> {
    return this.#positions.waitFor(this.#model(name).name, position, timeoutMs);
  }

  /** A row as it was known at a moment; undefined when there was none. */
  asOf(name: string, key: string, moment: Moment): Promise<Row | undefined> {
    return asOf(this.#on.store, this.#model(name), key, moment);
  }

  async #setPaused(name: string, paused: boolean): Promise<void> {
    const { name: known } = this.#model(name);
    if (!(await setPaused(this.#on.pool, known, paused)))
      throw new ProjectionError('unknown_projection', `${name} has no table yet; start a worker once`);
  }

  #model(name: string): Model {
    const model = this.#models.get(name);
    if (model) return model;
    const known = [...this.#models.keys()].join(', ');
    throw new ProjectionError('unknown_projection', `there is no projection ${name}; there are ${known}`);
  }
}

/** Nobody would fold such a table on, and the next worker with this code would build it anew. */
const mustBeCurrent = (model: Model, previous: Generation): void => {
  if (standingOf(model, previous) === 'current') return;
  const { version } = model.projection;
  throw new ProjectionError(
    'version_mismatch',
    `the earlier table of ${model.name} was folded by version ${previous.foldVersion}, and this code has version ` +
      `${version}: stop the workers of this release, then roll back with the release that has the earlier version`,
  );
};
