import type pg from 'pg';
import type { EventStore } from '../../events/eventStore.js';
import type { Faults } from '../../kernel/faults.js';
import { applyBatch } from './apply.js';
import { ProjectionError } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, type Generation, removeGeneration, setProgress, setState } from './generations.js';
import { dropTable, physicalName, pointView } from './table.js';
import { inTransaction } from './transaction.js';
import { Backoff, pause } from './wait.js';

const PAGE = 1_000;
/** Few enough to be folded while the live projector waits. */
const CLOSE = 200;
const ROUNDS = 20;
const TRIES = 100;

export interface Swap {
  readonly store: EventStore;
  readonly client: pg.ClientBase;
  readonly model: Model;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  readonly onWaiting: () => void;
}

/** Folds on in short transactions until the log is nearly reached; a busy writer is not chased for ever. */
const catchUp = async (swap: Swap, from: Generation): Promise<Generation> => {
  let at = from;
  for (let round = 0; round < ROUNDS; round++) {
    const [next, events] = await foldTo(swap, at);
    at = next;
    if (events < CLOSE) break;
  }
  return at;
};

const foldTo = async (
  { store, client, model, signal }: Swap,
  from: Generation,
): Promise<[at: Generation, events: number]> => {
  const filter = { types: model.projection.events };
  let at = from;
  let events = 0;
  for await (const delivery of store.readAll({ after: at.position, filter, pageSize: PAGE, signal })) {
    signal.throwIfAborted();
    if (delivery.position <= at.position) continue;
    const batch = { events: delivery.kind === 'events' ? delivery.events : [], position: delivery.position };
    const next = await applyBatch(client, model, at, batch);
    if (!next)
      throw new ProjectionError('rebuild_failed', `somebody else changed ${at.physical} while it was built`);
    at = next;
    events += batch.events.length;
  }
  signal.throwIfAborted();
  return [at, events];
};

/**
 * Makes a built table the one that is served, in one transaction: the lock on the active state row keeps the live
 * projector still, what is left of the log is folded, and view and states change together. So readers see the old
 * rows or the new ones, never less than before. Readers hold the view's lock only for a moment; if one holds it
 * longer, we step back rather than let others queue behind us, and try again.
 */
export const swapIn = async (swap: Swap, built: Generation): Promise<void> => {
  const backoff = new Backoff(50, 2_000);
  for (let attempt = 1, at = built; ; attempt++) {
    at = await catchUp(swap, at);
    try {
      await inTransaction(swap.client, () => switchOver(swap, at));
      swap.faults('projector:after-commit');
      return;
    } catch (error) {
      if (!isLockTimeout(error) || attempt >= TRIES) throw error;
      swap.onWaiting();
      await setProgress(swap.client, at, 'waiting for lock', at.position);
      await pause(backoff.next(), swap.signal);
      swap.signal.throwIfAborted();
    }
  }
};

const switchOver = async (swap: Swap, at: Generation): Promise<void> => {
  const { client, model } = swap;
  await client.query(`SET LOCAL lock_timeout = '250ms'`);
  const active = await activeOf(client, model.name, true);
  const [next] = await foldTo(swap, at);
  await dropPrevious(client, model.name);
  if (active) await setState(client, active, 'previous');
  await setState(client, next, 'active');
  if (active?.paused === true) await carryPause(client, next);
  await pointView(client, model.projection.table, next.physical);
  swap.faults('projector:before-commit');
};

const carryPause = async (client: pg.ClientBase, { name, generation }: Generation): Promise<void> => {
  await client.query('UPDATE projection_generations SET paused = true WHERE name = $1 AND generation = $2', [
    name,
    generation,
  ]);
};

const dropPrevious = async (client: pg.ClientBase, name: string): Promise<void> => {
  const { rows } = await client.query<{ generation: number }>(
    `SELECT generation FROM projection_generations WHERE name = $1 AND state = 'previous'`,
    [name],
  );
  for (const { generation } of rows) await dropTable(client, physicalName(name, generation));
  await removeGeneration(client, name, 'previous');
};

/** lock_not_available, or a deadlock that the server broke. */
export const isLockTimeout = (error: unknown): boolean =>
  error instanceof Error && ['55P03', '40P01'].includes(String((error as { code?: unknown }).code));
