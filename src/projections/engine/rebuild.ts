import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import type { Db } from '../../kernel/db.js';
import type { Faults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { foldLog } from './build.js';
import { intoTable } from './errors.js';
import type { Model } from './fold.js';
import {
  addGeneration,
  type Generation,
  generationsOf,
  removeGeneration,
  setProgress,
} from './generations.js';
import { Lane } from './lane.js';
import { endCopiesInto, withRebuildLock } from './lock.js';
import { Progress, type RebuildProgress } from './progress.js';
import { Memory, Shadow } from './shadow.js';
import { swapIn } from './swap.js';
import { analyze, createTable, dropTable, indexesOf, physicalTables } from './table.js';
import { inTransaction, withBuildClient } from './transaction.js';

export interface RebuildOptions {
  /** Events per page of the log. */
  readonly batch?: number;
  /** Rows of all projections together that are kept in memory; more are written out. */
  readonly maxRowsInMemory?: number;
  readonly onProgress?: (progress: RebuildProgress) => void;
  readonly signal?: AbortSignal;
  /** Rebuilds the rows of this organization only, inside the tables that are served. */
  readonly org?: string;
}

export interface RebuildResult {
  readonly projections: readonly string[];
  readonly events: number;
  readonly elapsedSeconds: number;
}

export interface RebuildDependencies {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly logger: Logger;
  readonly faults: Faults;
}

/** Larger pages live longer than the garbage collector likes, smaller ones cost round trips. */
export const DEFAULT_BATCH = 1_000;
export const DEFAULT_MAX_ROWS = 50_000;

/**
 * Folds projections anew beside the tables that are served, and then swaps them in:
 *
 *   drop leftovers ▶ new tables ▶ read the log once, fold in memory, write out ▶ indexes ▶ catch up ▶ swap
 *
 * Nothing is changed for readers before the swap, and everything is done in short transactions. A build that was
 * killed leaves a table and a state row, which the next one drops before it starts from the beginning.
 * @throws ProjectionError `rebuild_running`; EventFailure when an event cannot be folded
 */
export const rebuild = (
  on: RebuildDependencies,
  models: readonly Model[],
  options: RebuildOptions,
): Promise<RebuildResult> => {
  const names = models.map(({ name }) => name);
  const locked = async (client: pg.ClientBase, signal: AbortSignal): Promise<RebuildResult> => {
    const progress = new Progress(await on.store.head(), models.length, options.onProgress);
    const targets = await startBuilds(client, models);
    try {
      await new Build(on, client, signal, progress).run(targets, options);
    } catch (error) {
      for (const model of models) await dropLeftovers(client, model).catch(() => undefined);
      throw error;
    }
    on.logger.info({ projections: names, events: progress.events }, 'projections rebuilt');
    return { projections: names, events: progress.events, elapsedSeconds: progress.elapsedSeconds };
  };
  return withRebuildLock(on.pool, names, locked, options.signal);
};

export interface Target {
  readonly model: Model;
  readonly generation: Generation;
}

/** New empty tables without keys or indexes, after what a killed build left behind is gone. */
export const startBuilds = async (client: pg.ClientBase, models: readonly Model[]): Promise<Target[]> => {
  const targets: Target[] = [];
  for (const model of models) {
    await dropLeftovers(client, model);
    const generation = await inTransaction(client, async () => {
      const added = await addGeneration(client, model, 'building');
      await createTable(client, model.projection.table, added.physical);
      return added;
    });
    targets.push({ model, generation });
  }
  return targets;
};

/** Drops every table of the projection that is neither served nor kept for rollback. The caller holds the rebuild lock. */
export const dropLeftovers = async (client: pg.ClientBase, { name }: Model): Promise<void> => {
  await inTransaction(client, async () => {
    await removeGeneration(client, name, 'building');
    const kept = (await generationsOf(client, [name])).map(({ physical }) => physical);
    for (const physical of await physicalTables(client, name)) {
      if (kept.includes(physical)) continue;
      await endCopiesInto(client, physical);
      await dropTable(client, physical);
    }
  });
};

/** Not before both have ended: a statement left running would hold its table. */
const bothDone = async (one: Promise<void>, other: Promise<void>): Promise<void> => {
  await Promise.allSettled([one, other]);
  await Promise.all([one, other]);
};

/** The connections that make indexes side by side. */
type Pair = readonly [pg.ClientBase, pg.ClientBase];

class Build {
  readonly #lane: Lane;

  constructor(
    private readonly on: RebuildDependencies,
    private readonly client: pg.ClientBase,
    private readonly signal: AbortSignal,
    private readonly progress: Progress,
  ) {
    this.#lane = new Lane(client);
  }

  async run(targets: readonly Target[], options: RebuildOptions): Promise<void> {
    const memory = new Memory(options.maxRowsInMemory ?? DEFAULT_MAX_ROWS);
    const shadows = targets.map(({ model, generation }) => new Shadow(model, generation, memory, this.#lane));
    const range = { after: 0n, pageSize: options.batch ?? DEFAULT_BATCH, signal: this.signal };
    const position = await foldLog(this.on.store, this.#lane, shadows, memory, range, this.progress).finally(
      () => this.#lane.idle(),
    );
    await this.#complete(shadows, position).finally(() => this.#lane.idle());
    for (const { model, generation } of targets) {
      this.progress.tell('catching up', model.name);
      await setProgress(this.client, generation, 'catching up', position);
      await this.#swap(model, { ...generation, position });
      this.progress.tell('swapped', model.name);
    }
  }

  /** The server builds the indexes of one table while we write the next. */
  async #complete(shadows: readonly Shadow[], position: bigint): Promise<void> {
    const { pool } = this.on;
    await withBuildClient(pool, this.signal, (one) =>
      withBuildClient(pool, this.signal, (other) => this.#writeAndIndex(shadows, position, [one, other])),
    );
    this.signal.throwIfAborted();
  }

  async #writeAndIndex(shadows: readonly Shadow[], position: bigint, pair: Pair): Promise<void> {
    let indexed: Promise<void> = Promise.resolve();
    try {
      for (const shadow of shadows) {
        const { model, target } = shadow;
        this.progress.tell('writing', model.name);
        await this.#lane.run((client) => setProgress(client, target, 'writing', position));
        await shadow.writeOut();
        indexed = indexed.then(() => this.#index(shadow, position, pair));
        indexed.catch(() => undefined); // awaited below
        if (this.signal.aborted) break;
      }
    } finally {
      await Promise.allSettled([indexed]); // the connections are its until then
    }
    await indexed;
  }

  async #index(shadow: Shadow, position: bigint, [one, other]: Pair): Promise<void> {
    const { model, target } = shadow;
    const { table } = model.projection;
    this.progress.tell('indexing', model.name);
    await setProgress(one, target, 'indexing', position);
    const left = [(db: Db) => shadow.key(db), ...indexesOf(table, target.physical)];
    const takeFromThose = async (client: pg.ClientBase): Promise<void> => {
      for (let add = left.shift(); add !== undefined; add = left.shift()) await add(client);
    };
    await intoTable(model.name, bothDone(takeFromThose(one), takeFromThose(other)));
    await shadow.seal(one);
    await analyze(one, table, target.physical);
  }

  #swap(model: Model, built: Generation): Promise<void> {
    const onWaiting = (): void => this.progress.tell('waiting for lock', model.name);
    const { store, faults } = this.on;
    return swapIn({ store, client: this.client, model, faults, signal: this.signal, onWaiting }, built);
  }
}
