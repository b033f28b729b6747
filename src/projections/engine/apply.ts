import type { Position, RecordedEvent } from '../../events/envelope.js';
import type { Db } from '../../kernel/db.js';
import { type Codec, rowTypes } from './codec.js';
import { EventFailure, isDataError } from './errors.js';
import { type Cell, foldEvent, keysOf, type Model, relevant } from './fold.js';
import type { Generation } from './generations.js';
import type { Row } from './projection.js';
import { quoted } from './table.js';

/** Events to fold, and how far the log was scanned for them. */
export interface Batch {
  /** As the log has them. */
  readonly events: readonly RecordedEvent[];
  readonly position: Position;
}

/**
 * Loads the touched rows, folds in memory, and writes rows and checkpoint in one statement: one round trip to read,
 * one to write, however many events. The checkpoint moves by compare-and-set on (position, epoch): rows change only
 * when it does, so two workers on one projection never fold an event twice, and what was loaded before is still
 * true. The statement is its own transaction unless the caller has one open.
 * @returns false when somebody else moved the checkpoint: nothing was written
 * @throws EventFailure naming the one event that cannot be folded; the events before it are applied
 */
export const applyBatch = async (
  db: Db,
  model: Model,
  at: Generation,
  batch: Batch,
  beforeCommit: () => void = () => undefined,
): Promise<false | Generation> => {
  const changes = await foldBatch(db, model, at, batch.events).catch((error: unknown) => error as Error);
  if (changes instanceof EventFailure) return applyUpTo(db, model, at, batch, changes, beforeCommit);
  if (changes instanceof Error) throw changes;
  beforeCommit();
  try {
    const moved = await write(db, model, at, changes, batch);
    return moved && { ...at, position: batch.position, error: null };
  } catch (error) {
    if (!isDataError(error)) throw error;
    return applyHalves(db, model, at, batch, error, beforeCommit);
  }
};

const applyUpTo = async (
  ...[db, model, at, { events }, failure, beforeCommit]: [
    Db,
    Model,
    Generation,
    Batch,
    EventFailure,
    () => void,
  ]
): Promise<false> => {
  const before = events.filter(({ position }) => position < failure.event.position);
  const last = before.at(-1);
  if (last && !(await applyBatch(db, model, at, { events: before, position: last.position }, beforeCommit)))
    return false;
  throw failure;
};

/** The table refused a value: finds the event that made it. */
const applyHalves = async (
  ...[db, model, at, { events, position }, cause, beforeCommit]: [
    Db,
    Model,
    Generation,
    Batch,
    unknown,
    () => void,
  ]
): Promise<false | Generation> => {
  const [first] = events;
  if (first === undefined) throw cause;
  if (events.length === 1) throw new EventFailure(model.name, first, { cause });
  const head = events.slice(0, events.length >> 1);
  const headPosition = head.at(-1)?.position ?? at.position;
  const moved = await applyBatch(db, model, at, { events: head, position: headPosition }, beforeCommit);
  const tail = { events: events.slice(head.length), position };
  return moved && applyBatch(db, model, moved, tail, beforeCommit);
};

type Changes = ReadonlyMap<string, Cell>;

const foldBatch = async (
  db: Db,
  model: Model,
  at: Generation,
  events: readonly RecordedEvent[],
): Promise<Changes> => {
  const changed = new Map<string, Cell>();
  const current = relevant(model, events);
  if (current.length === 0) return changed;
  const keys = current.map((event) => keysOf(model, event));
  const loaded = await loadRows(db, model.codec, at.physical, [...new Set(keys.flat())]);
  const rows = {
    at: (key: string) => {
      let cell = changed.get(key);
      if (cell === undefined) changed.set(key, (cell = { row: loaded.get(key) ?? null }));
      return cell;
    },
  };
  current.forEach((event, index) => {
    foldEvent(model, rows, event, keys[index]);
  });
  for (const [key, { row }] of changed) if (row === null && !loaded.has(key)) changed.delete(key);
  return changed;
};

/** The rows of these keys that are there. Not prepared: the plan must follow the size of a growing table. */
export const loadRows = async (
  db: Db,
  codec: Codec,
  physical: string,
  keys: readonly string[],
): Promise<Map<string, Row>> => {
  if (keys.length === 0) return new Map();
  const { rows } = await db.query<Row>({
    text: `SELECT ${codec.columnList} FROM ${quoted(physical)} WHERE key = ANY ($1::${codec.keyType}[])`,
    values: [keys],
    types: rowTypes,
  });
  return new Map(rows.map((row) => [row.key, row]));
};

// The commit does not wait for the disk. A crash of the server may lose the last moments, rows and checkpoint
// together; they are folded again from the log, which does wait.
const write = async (
  db: Db,
  model: Model,
  at: Generation,
  changes: Changes,
  { events, position }: Batch,
): Promise<boolean> => {
  const { codec } = model;
  const stored: Row[] = [];
  const deleted: string[] = [];
  for (const [key, { row }] of changes) {
    if (row === null) deleted.push(key);
    else stored.push(model.finish(row));
  }
  const values: unknown[] = [at.name, at.generation, at.position, at.epoch, position, at.state];
  values.push(events.at(-1)?.recorded_at ?? null);
  const table = quoted(at.physical);
  const parts = [MOVE];
  if (stored.length > 0) {
    values.push(JSON.stringify(stored));
    parts.push(`stored AS (
      INSERT INTO ${table} (${codec.columnList})
      SELECT ${codec.columnList} FROM json_to_recordset($${values.length}::json) AS r (${codec.recordset})
       WHERE EXISTS (SELECT FROM moved)
      ON CONFLICT (key) DO UPDATE SET ${codec.updates})`);
  }
  if (deleted.length > 0) {
    values.push(deleted);
    parts.push(`deleted AS (
      DELETE FROM ${table} WHERE key = ANY ($${values.length}::${codec.keyType}[]) AND EXISTS (SELECT FROM moved))`);
  }
  const text = `WITH ${parts.join(', ')}
    SELECT set_config('synchronous_commit', 'off', true), (SELECT count(*)::int FROM moved) AS moved`;
  const named = deleted.length === 0 && { name: `${stored.length > 0 ? 'store' : 'move'} ${at.physical}` };
  const { rows } = await db.query<{ moved: number }>({ ...named, text, values });
  return rows[0]?.moved === 1;
};

const MOVE = `moved AS (
  UPDATE projection_generations
     SET position = $5, recorded_at = coalesce($7, recorded_at), heartbeat_at = now(), error = NULL
   WHERE name = $1 AND generation = $2 AND position = $3 AND epoch = $4 AND state = $6 AND NOT paused
  RETURNING 1)`;
