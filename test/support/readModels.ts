import type { Db } from '../../src/kernel/db.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import { codecOf } from '../../src/projections/engine/codec.js';
import type { Row } from '../../src/projections/engine/projection.js';
import {
  addIndexes,
  addKeyIndex,
  addPrimaryKey,
  createTable,
  physicalName,
  pointView,
  quoted,
} from '../../src/projections/engine/table.js';
import type { AnyProjection } from '../../src/projections/engine/fold.js';
import { rowsOf } from './projectionSpec.js';

/** A read model as the engine makes its table, filled at once: for tests of queries. Answers the rows. */
export const fill = async (
  db: Db,
  projection: AnyProjection,
  events: readonly RecordedEvent[],
): Promise<Row[]> => {
  const { table } = projection;
  const rows = [...rowsOf(projection, events, { check: false }).values()];
  const physical = physicalName(table.name, 1);
  const { columnList, recordset } = codecOf(table);
  await createTable(db, table, physical);
  await addKeyIndex(db, physical);
  await addPrimaryKey(db, physical);
  await addIndexes(db, table, physical);
  await pointView(db, table, physical);
  await db.query(
    `INSERT INTO ${quoted(physical)} (${columnList})
     SELECT ${columnList} FROM json_to_recordset($1::json) AS r (${recordset})`,
    [JSON.stringify(rows)],
  );
  await db.query(`ANALYZE ${quoted(physical)}`);
  return rows;
};

/** A Db that explains what it is asked, and answers nothing: the plans are in `plans`. */
export const explaining = (db: Db): { db: Db; plans: string[] } => {
  const plans: string[] = [];
  const query = async (config: string | { text: string; values: unknown[] }, values?: unknown[]) => {
    const [text, args] = typeof config === 'string' ? [config, values] : [config.text, config.values];
    const { rows } = await db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, args);
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
    return { rows: [] };
  };
  return { db: { query: query as unknown as Db['query'] }, plans };
};
