import type { Db } from '../../src/kernel/db.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { Row, Table } from '../../src/projections/engine/projection.js';
import { type AnyProjection, rowsOf } from './projectionSpec.js';

const createTable = async (db: Db, { name, columns, indexes }: Table): Promise<void> => {
  const list = Object.entries(columns).map(([column, type]) => `"${column}" ${type}`);
  await db.query(`CREATE TABLE "${name}_data" (${list.join(', ')}, PRIMARY KEY (key))`);
  for (const index of indexes)
    await db.query(`CREATE INDEX ON "${name}_data" (${index.map((column) => `"${column}"`).join(', ')})`);
  await db.query(`CREATE VIEW "${name}" AS SELECT * FROM "${name}_data"`);
};

/** A read model filled at once, without the engine: for tests of queries. Answers the rows. */
export const fill = async (
  db: Db,
  projection: AnyProjection,
  events: readonly RecordedEvent[],
): Promise<Row[]> => {
  const { table } = projection;
  const rows = [...rowsOf(projection, events, { check: false }).values()];
  await createTable(db, table);
  await db.query(
    `INSERT INTO "${table.name}_data" SELECT * FROM json_populate_recordset(NULL::"${table.name}_data", $1)`,
    [JSON.stringify(rows)],
  );
  await db.query(`ANALYZE "${table.name}_data"`);
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
