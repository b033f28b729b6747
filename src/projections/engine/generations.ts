import type { Position } from '../../events/envelope.js';
import type { Db } from '../../kernel/db.js';
import type { Failure } from './errors.js';
import type { Model } from './fold.js';
import { physicalName } from './table.js';

/** One row of projection_generations. */
export interface Generation {
  readonly name: string;
  readonly generation: number;
  readonly state: 'building' | 'active' | 'previous';
  readonly foldVersion: number;
  readonly definition: string;
  readonly position: Position;
  readonly epoch: string;
  readonly paused: boolean;
  readonly error: Failure | null;
  readonly phase: string | null;
  /** The name of its table. */
  readonly physical: string;
}

interface Stored {
  name: string;
  generation: number;
  state: Generation['state'];
  fold_version: number;
  definition: string;
  position: string;
  epoch: string;
  paused: boolean;
  error: Failure | null;
  phase: string | null;
}

const columns = 'name, generation, state, fold_version, definition, position, epoch, paused, error, phase';

const toGeneration = (row: Stored): Generation => ({
  name: row.name,
  generation: row.generation,
  state: row.state,
  foldVersion: row.fold_version,
  definition: row.definition,
  position: BigInt(row.position),
  epoch: String(row.epoch),
  paused: row.paused,
  error: row.error,
  phase: row.phase,
  physical: physicalName(row.name, row.generation),
});

export const generationsOf = async (db: Db, names: readonly string[]): Promise<Generation[]> => {
  const { rows } = await db.query<Stored>(
    `SELECT ${columns} FROM projection_generations WHERE name = ANY ($1) ORDER BY name, generation`,
    [names],
  );
  return rows.map(toGeneration);
};

/** The generation that is served; `lock` keeps every checkpoint of it still until the transaction ends. */
export const activeOf = async (db: Db, name: string, lock = false): Promise<Generation | undefined> => {
  const { rows } = await db.query<Stored>(
    `SELECT ${columns} FROM projection_generations WHERE name = $1 AND state = 'active'${lock ? ' FOR UPDATE' : ''}`,
    [name],
  );
  return rows[0] && toGeneration(rows[0]);
};

/**
 * How rows relate to this code: it may fold on the current ones only, and builds the older ones anew. Newer ones belong
 * to a later release that runs beside it. `changed`: the table differs though nobody raised the version.
 */
export type Standing = 'current' | 'older' | 'changed' | 'newer';

export const standingOf = (
  { projection: { version }, definition }: Model,
  rows: Pick<Generation, 'foldVersion' | 'definition'>,
): Standing => {
  if (rows.foldVersion !== version) return rows.foldVersion < version ? 'older' : 'newer';
  return rows.definition === definition ? 'current' : 'changed';
};

/** Adds the state row of a new table, under a number that no table ever had. */
export const addGeneration = async (
  db: Db,
  model: Model,
  state: 'building' | 'active',
): Promise<Generation> => {
  const { rows } = await db.query<Stored>(
    `INSERT INTO projection_generations (name, generation, state, fold_version, definition, heartbeat_at)
     VALUES ($1, nextval('projection_generation_numbers'), $2, $3, $4, CASE WHEN $2 = 'building' THEN now() END)
     RETURNING ${columns}`,
    [model.name, state, model.projection.version, model.definition],
  );
  if (rows[0] === undefined) throw new Error('INSERT … RETURNING answered no row');
  return toGeneration(rows[0]);
};

/** Whether there was such a generation. */
export const removeGeneration = async (
  db: Db,
  name: string,
  state: Generation['state'],
): Promise<boolean> => {
  const { rowCount } = await db.query('DELETE FROM projection_generations WHERE name = $1 AND state = $2', [
    name,
    state,
  ]);
  return rowCount === 1;
};

/** Gives a generation another state. Whoever held the old one notices by the epoch. */
export const setState = async (
  db: Db,
  { name, generation }: Generation,
  state: Generation['state'],
): Promise<void> => {
  await db.query(
    `UPDATE projection_generations SET state = $3, phase = NULL, epoch = epoch + 1 WHERE name = $1 AND generation = $2`,
    [name, generation, state],
  );
};

/** Tells the runners that the rows changed under them. */
export const raiseEpoch = async (db: Db, { name, generation }: Generation): Promise<void> => {
  await db.query('UPDATE projection_generations SET epoch = epoch + 1 WHERE name = $1 AND generation = $2', [
    name,
    generation,
  ]);
};

/** Pausing keeps the error in sight; resuming clears it, so that the event is tried again at once. */
export const setPaused = async (db: Db, name: string, paused: boolean): Promise<boolean> => {
  const { rowCount } = await db.query(
    `UPDATE projection_generations
        SET paused = $2, epoch = epoch + 1, error = CASE WHEN $2 THEN error END
      WHERE name = $1 AND state = 'active'`,
    [name, paused],
  );
  return rowCount === 1;
};

/** Says where and why the fold stopped; nothing when somebody else moved on in the meantime. */
export const setError = async (db: Db, at: Generation, error: Failure | null): Promise<void> => {
  await db.query(
    `UPDATE projection_generations SET error = $4, heartbeat_at = now()
      WHERE name = $1 AND generation = $2 AND epoch = $3`,
    [at.name, at.generation, at.epoch, error === null ? null : JSON.stringify(error)],
  );
};

/** False when the generation is not the same any more: paused, swapped, rolled back or replaced. */
export const beat = async (db: Db, at: Generation): Promise<boolean> => {
  const { rowCount } = await db.query(
    `UPDATE projection_generations SET heartbeat_at = now()
      WHERE name = $1 AND generation = $2 AND epoch = $3 AND state = $4`,
    [at.name, at.generation, at.epoch, at.state],
  );
  return rowCount === 1;
};

/** Shows how far a build has come. */
export const setProgress = async (
  db: Db,
  { name, generation }: Generation,
  phase: string,
  position: Position,
): Promise<void> => {
  await db.query(
    `UPDATE projection_generations SET phase = $3, position = $4, heartbeat_at = now()
      WHERE name = $1 AND generation = $2 AND state = 'building'`,
    [name, generation, phase, position],
  );
};
