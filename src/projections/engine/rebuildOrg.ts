import type pg from 'pg';
import { foldLog } from './build.js';
import { ProjectionError } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, type Generation, raiseEpoch, standingOf } from './generations.js';
import { withRebuildLock } from './lock.js';
import { Progress } from './progress.js';
import {
  DEFAULT_BATCH,
  DEFAULT_MAX_ROWS,
  dropLeftovers,
  type RebuildDependencies,
  type RebuildOptions,
  type RebuildResult,
  startBuilds,
  type Target,
} from './rebuild.js';
import { Memory, Shadow } from './shadow.js';
import { quoted } from './table.js';
import { inTransaction, withClient } from './transaction.js';

/**
 * Folds one organization's events anew and replaces its rows inside the table that is served. The staging table
 * never runs ahead of the served one: it is folded up to the served checkpoint, and, while that is locked, up to
 * where it then stands; so the rows put in are those the live projector would have had.
 */
export const rebuildOrg = (
  on: RebuildDependencies,
  models: readonly Model[],
  org: string,
  options: RebuildOptions,
): Promise<RebuildResult> => {
  const names = models.map(({ name }) => name);
  return withRebuildLock(on.pool, names, async (client, lost) => {
    const signal = AbortSignal.any([lost, ...(options.signal ? [options.signal] : [])]);
    signal.throwIfAborted();
    const progress = new Progress(await on.store.head(), options.onProgress);
    try {
      for (const target of await startBuilds(client, models)) {
        await withClient(on.pool, (staging) =>
          replaceRows({ on, client, staging, signal, progress, org, options }, target),
        );
        progress.tell('swapped', target.model.name);
      }
    } finally {
      for (const model of models) await dropLeftovers(client, model).catch(() => undefined);
    }
    on.logger.info({ projections: names, org_id: org, events: progress.events }, 'organization rebuilt');
    return { projections: names, events: progress.events, elapsedSeconds: progress.elapsedSeconds };
  });
};

interface OrgBuild {
  readonly on: RebuildDependencies;
  readonly client: pg.ClientBase;
  /** Writes the staging table in transactions of its own, also while `client` holds the served state locked. */
  readonly staging: pg.ClientBase;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly org: string;
  readonly options: RebuildOptions;
}

const replaceRows = async (build: OrgBuild, { model, generation }: Target): Promise<void> => {
  const { client, staging } = build;
  const memory = new Memory(build.options.maxRowsInMemory ?? DEFAULT_MAX_ROWS);
  const shadow = new Shadow(model, generation, memory);
  const read = (after: bigint, until: bigint): Promise<bigint> => {
    const pageSize = build.options.batch ?? DEFAULT_BATCH;
    const range = { after, until, orgId: build.org, pageSize, signal: build.signal };
    return foldLog(build.on.store, staging, [shadow], memory, range, build.progress);
  };
  const start = await served(client, model);
  await read(0n, start.position);
  await inTransaction(client, async () => {
    const active = await served(client, model, true);
    if (active.position > start.position) await read(start.position, active.position);
    await shadow.writeOut(staging);
    const columns = model.codec.columnList;
    await client.query(`DELETE FROM ${quoted(active.physical)} WHERE org_id = $1`, [build.org]);
    await client.query(
      `INSERT INTO ${quoted(active.physical)} (${columns}) SELECT ${columns} FROM ${quoted(generation.physical)}`,
    );
    await raiseEpoch(client, active);
    build.on.faults('projector:before-commit');
  });
  build.on.faults('projector:after-commit');
};

const served = async (client: pg.ClientBase, model: Model, lock = false): Promise<Generation> => {
  const active = await activeOf(client, model.name, lock);
  if (active === undefined || standingOf(model, active) !== 'current')
    throw new ProjectionError(
      'version_mismatch',
      `${model.name} is served from another version of its fold; rebuild all of it first`,
    );
  return active;
};
