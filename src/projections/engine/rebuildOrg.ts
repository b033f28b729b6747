import type pg from 'pg';
import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { foldLog } from './build.js';
import { ProjectionError } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, type Generation, raiseEpoch, standingOf } from './generations.js';
import { Lane } from './lane.js';
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
} from './rebuild.js';
import { Memory, Shadow } from './shadow.js';
import { quoted } from './table.js';
import { inTransaction, withBuildClient } from './transaction.js';

/** Rounds of catching up before the served table is locked; a busy projector is not chased for ever. */
const ROUNDS = 20;

/**
 * Folds one organization's events anew and replaces its rows inside the tables that are served. A staging table never
 * runs ahead of the served one: it is folded up to the served checkpoint, and, while that is locked, up to where it
 * then stands; so the rows put in are those the live projector would have had.
 * @throws ProjectionError `rebuild_running`, `version_mismatch`, `unknown_organization`; EventFailure
 */
export const rebuildOrg = async (
  on: RebuildDependencies,
  models: readonly Model[],
  org: string,
  options: RebuildOptions,
): Promise<RebuildResult> => {
  if (!(await hasEvents(on.store, org)))
    throw new ProjectionError('unknown_organization', `there is no organization ${org}`);
  const names = models.map(({ name }) => name);
  const locked = async (client: pg.ClientBase, signal: AbortSignal): Promise<RebuildResult> => {
    const progress = new Progress(await on.store.head(), models.length, options.onProgress);
    try {
      await withBuildClient(on.pool, signal, (staging) =>
        new OrgBuild(on, client, staging, signal, progress, org, options).run(models),
      );
    } finally {
      for (const model of models) await dropLeftovers(client, model).catch(() => undefined);
    }
    on.logger.info({ projections: names, org_id: org, events: progress.events }, 'organization rebuilt');
    return { projections: names, events: progress.events, elapsedSeconds: progress.elapsedSeconds };
  };
  return withRebuildLock(on.pool, names, locked, options.signal);
};

const hasEvents = async (store: EventStore, orgId: string): Promise<boolean> => {
  for await (const delivery of store.readAll({ after: 0n, filter: { orgId }, pageSize: 1 }))
    if (delivery.kind === 'events' && delivery.events.length > 0) return true;
  return false;
};

class OrgBuild {
  readonly #memory: Memory;
  readonly #lane: Lane;

  constructor(
    private readonly on: RebuildDependencies,
    private readonly client: pg.ClientBase,
    /** Writes the staging tables in transactions of its own, also while `client` holds the served state locked. */
    staging: pg.ClientBase,
    private readonly signal: AbortSignal,
    private readonly progress: Progress,
    private readonly org: string,
    private readonly options: RebuildOptions,
  ) {
    this.#memory = new Memory(options.maxRowsInMemory ?? DEFAULT_MAX_ROWS);
    this.#lane = new Lane(staging);
  }

  async run(models: readonly Model[]): Promise<void> {
    const positions: Position[] = [];
    for (const model of models) positions.push((await served(this.client, model)).position);
    const until = positions.reduce((least, position) => (position < least ? position : least));
    const targets = await startBuilds(this.client, models);
    const shadows = targets.map(
      ({ model, generation }) => new Shadow(model, generation, this.#memory, this.#lane),
    );
    await this.#fold(shadows, 0n, until);
    for (const shadow of shadows) {
      this.progress.tell('writing', shadow.model.name);
      await shadow.writeOut();
      await this.#lane.run((client) => shadow.key(client));
    }
    for (const shadow of shadows) {
      const at = await this.#catchUp(shadow, until);
      this.progress.tell('catching up', shadow.model.name);
      await this.#replace(shadow, at);
      this.on.faults('projector:after-commit');
      this.progress.tell('swapped', shadow.model.name);
    }
  }

  /** Everything is written out when it returns, so that the lock need not be held for it. */
  async #catchUp(shadow: Shadow, from: Position): Promise<Position> {
    let at = from;
    for (let round = 0; round < ROUNDS; round++) {
      const { position } = await served(this.client, shadow.model);
      if (position === at) break;
      await this.#fold([shadow], at, position);
      await shadow.writeOut();
      at = position;
    }
    return at;
  }

  async #replace(shadow: Shadow, at: Position): Promise<void> {
    const { client, org } = this;
    const { model, target } = shadow;
    const { columnList } = model.codec;
    const [old, staged] = [quoted(`old ${target.physical}`), quoted(target.physical)];
    // Found before the lock is taken: not every table has an index by organization.
    const { physical } = await served(client, model);
    await client.query(`CREATE TEMP TABLE ${old} AS SELECT key FROM ${quoted(physical)} WHERE org_id = $1`, [
      org,
    ]);
    await client.query(`ANALYZE ${old}; ANALYZE ${staged} (key)`);
    await inTransaction(client, async () => {
      const active = await served(client, model, true);
      if (active.position > at) await this.#fold([shadow], at, active.position);
      await shadow.writeOut();
      const table = quoted(active.physical);
      await client.query(
        `DELETE FROM ${table} t USING (SELECT key FROM ${old} UNION SELECT key FROM ${staged}) k
          WHERE t.key = k.key`,
      );
      await client.query(`INSERT INTO ${table} (${columnList}) SELECT ${columnList} FROM ${staged}`);
      await raiseEpoch(client, active);
      this.on.faults('projector:before-commit');
    });
  }

  async #fold(shadows: readonly Shadow[], after: Position, until: Position): Promise<void> {
    const pageSize = this.options.batch ?? DEFAULT_BATCH;
    const range = { after, until, orgId: this.org, pageSize, signal: this.signal };
    await foldLog(this.on.store, this.#lane, shadows, this.#memory, range, this.progress);
  }
}

const served = async (client: pg.ClientBase, model: Model, lock = false): Promise<Generation> => {
  const active = await activeOf(client, model.name, lock);
  if (active === undefined || standingOf(model, active) !== 'current')
    throw new ProjectionError(
      'version_mismatch',
      `${model.name} is served from another version of its fold; rebuild all of it first`,
    );
  return active;
};
