import type pg from 'pg';
import type { Model } from './fold.js';
import { activeOf, addGeneration, type Generation, setState, standingOf } from './generations.js';
import { isLockTimeout } from './swap.js';
import { addIndexes, addKeyIndex, addPrimaryKey, createTable, existingColumns, pointView } from './table.js';
import { inTransaction, withClient } from './transaction.js';
import { Backoff, pause } from './wait.js';

const TRIES = 20;

/**
 * Sees to it that every read model can be queried: a projection that never existed, or whose table was thrown away,
 * gets an empty one at position 0; one that an older version folded keeps serving through a view with the columns
 * this code expects; one that a newer version folded is left to it. Nothing is folded here.
 */
export const ensureTables = (pool: pg.Pool, models: readonly Model[]): Promise<void> =>
  withClient(pool, async (client) => {
    for (const model of models) await retried(() => ensureTable(client, model));
  });

const ensureTable = (client: pg.ClientBase, model: Model): Promise<void> =>
  inTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = '1s'`);
    // Processes that start together take turns.
    await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`projection ${model.name}`]);
    const active = await activeOf(client, model.name, true);
    const serving = active && (await existingColumns(client, active.physical)).size > 0 ? active : undefined;
    const served = serving ?? (await startEmpty(client, model, active));
    if (standingOf(model, served) === 'newer') return;
    await pointView(client, model.projection.table, served.physical, 'if needed');
  });

const startEmpty = async (
  client: pg.ClientBase,
  model: Model,
  lost: Generation | undefined,
): Promise<Generation> => {
  if (lost) {
    await client.query('DELETE FROM projection_generations WHERE name = $1 AND generation = $2', [
      lost.name,
      lost.generation,
    ]);
  }
  const added = await addGeneration(client, model, 'active');
  await createTable(client, model.projection.table, added.physical);
  await addKeyIndex(client, added.physical);
  await addPrimaryKey(client, added.physical);
  await addIndexes(client, model.projection.table, added.physical);
  return added;
};

/** Serves the kept table again; what was served is kept in its place, so a second rollback undoes the first. */
export const swapBack = (
  client: pg.ClientBase,
  model: Model,
  active: Generation,
  previous: Generation,
): Promise<void> =>
  retried(() =>
    inTransaction(client, async () => {
      await client.query(`SET LOCAL lock_timeout = '250ms'`);
      await activeOf(client, model.name, true);
      await client.query(
        // Through a third state, for there is one generation of each.
        `UPDATE projection_generations SET state = 'building', paused = $3 WHERE name = $1 AND generation = $2`,
        [previous.name, previous.generation, active.paused],
      );
      await setState(client, active, 'previous');
      await setState(client, previous, 'active');
      await pointView(client, model.projection.table, previous.physical);
    }),
  );

const retried = async (work: () => Promise<void>): Promise<void> => {
  const backoff = new Backoff(50, 1_000);
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isLockTimeout(error) || attempt >= TRIES) throw error;
      await pause(backoff.next());
    }
  }
};
