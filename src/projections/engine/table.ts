import { createHash } from 'node:crypto';
import type { Db } from '../../kernel/db.js';
import type { ColumnType, Table } from './projection.js';

/** Column → Postgres type, as declared or as a table really has it. */
export type Columns = ReadonlyMap<string, string>;

export const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** The table of one generation. */
export const physicalName = (name: string, generation: number): string => `${name}__g${generation}`;

/** The declared columns; `key` and `org_id` are there whether declared or not. */
export const columnsOf = (table: Table): ReadonlyMap<string, ColumnType> =>
  new Map<string, ColumnType>([['key', 'text'], ['org_id', 'uuid'], ...Object.entries(table.columns)]);

/** Changes when the table does, so that a forgotten version bump is noticed. */
export const definitionOf = (table: Table): string =>
  createHash('sha256')
    .update(JSON.stringify([[...columnsOf(table)], table.indexes]))
    .digest('hex')
    .slice(0, 32);

export const createTable = async (db: Db, table: Table, physical: string): Promise<void> => {
  const columns = [...columnsOf(table)].map(
    ([column, type]) =>
      `${quoted(column)} ${type}${column === 'key' || column === 'org_id' ? ' NOT NULL' : ''}`,
  );
  await db.query(`CREATE TABLE ${quoted(physical)} (${columns.join(', ')})`);
};

const keyIndex = (physical: string): string => quoted(`${physical}_pkey`);

export const addKeyIndex = async (db: Db, physical: string): Promise<void> => {
  await db.query(`CREATE UNIQUE INDEX ${keyIndex(physical)} ON ${quoted(physical)} (key)`);
};

/** Of the index that addKeyIndex made. */
export const addPrimaryKey = async (db: Db, physical: string): Promise<void> => {
  await db.query(`ALTER TABLE ${quoted(physical)} ADD PRIMARY KEY USING INDEX ${keyIndex(physical)}`);
};

type Work = (db: Db) => Promise<void>;

/** What makes the indexes beside the key's, one each. */
export const indexesOf = (table: Table, physical: string): readonly Work[] =>
  table.indexes.map((columns, index) => async (db) => {
    const name = quoted(`${physical}_i${index + 1}`);
    await db.query(`CREATE INDEX ${name} ON ${quoted(physical)} (${columns.map(quoted).join(', ')})`);
  });

export const addIndexes = async (db: Db, table: Table, physical: string): Promise<void> => {
  for (const add of indexesOf(table, physical)) await add(db);
};

/**
 * Coarse statistics of the indexed columns, so that the planner has some from the first query on. The server's own
 * autovacuum takes finer ones of all columns soon afterwards, for an ANALYZE of some columns does not count for it.
 */
export const analyze = async (db: Db, table: Table, physical: string): Promise<void> => {
  const columns = [...new Set(['key', 'org_id', ...table.indexes.flat()])].map(quoted).join(', ');
  await db.query(`SET LOCAL default_statistics_target = 10; ANALYZE ${quoted(physical)} (${columns})`);
};

export const dropTable = async (db: Db, physical: string): Promise<void> => {
  await db.query(`DROP TABLE IF EXISTS ${quoted(physical)}`);
};

/** The columns a table or view really has, in order; empty when there is none of that name. */
export const existingColumns = async (db: Db, relation: string): Promise<Columns> => {
  const { rows } = await db.query<{ name: string; type: string }>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
       FROM pg_attribute a
      WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY a.attnum`,
    [quoted(relation)],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
};

/** Tables called like a generation of this projection, whoever made them. */
export const physicalTables = async (db: Db, name: string): Promise<readonly string[]> => {
  const { rows } = await db.query<{ relname: string }>(
    `SELECT c.relname FROM pg_class c
      WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
        AND left(c.relname, length($1) + 3) = $1 || '__g' AND substr(c.relname, length($1) + 4) ~ '^[0-9]+$'`,
    [name],
  );
  return rows.map(({ relname }) => relname);
};

/** Format_type's word for a declared type. */
const formatted = (type: ColumnType): string => (type === 'timestamptz' ? 'timestamp with time zone' : type);

/**
 * Points the view at a generation's table. It gets the columns of the current definition and keeps those it has:
 * releases before and after this one may be reading it. A column that the table lacks, or has in another type, reads
 * as null. Replacing keeps prepared statements of readers valid; only a column of another type makes it drop and
 * create.
 */
export const pointView = async (
  db: Db,
  table: Table,
  physical: string,
  when: 'always' | 'if needed' = 'always',
): Promise<void> => {
  const actual = await existingColumns(db, physical);
  const existing = await existingColumns(db, table.name);
  const wanted = [...columnsOf(table)].map(([column, type]) => [column, formatted(type)] as const);
  const columns = new Map([...existing, ...wanted]);
  const retyped = [...existing].some(([column, type]) => columns.get(column) !== type);
  const complete = !retyped && columns.size === existing.size;
  // Another start-up did it: do not take the readers' lock for nothing.
  if (when === 'if needed' && complete && (await reads(db, table.name, physical))) return;
  const list = [...columns].map(([column, type]) =>
    actual.get(column) === type ? quoted(column) : `NULL::${type} AS ${quoted(column)}`,
  );
  const view = quoted(table.name);
  if (retyped) await db.query(`DROP VIEW ${view}`);
  await db.query(`CREATE OR REPLACE VIEW ${view} AS SELECT ${list.join(', ')} FROM ${quoted(physical)}`);
};

const reads = async (db: Db, view: string, physical: string): Promise<boolean> => {
  const { rows } = await db.query<{ reads: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
                     WHERE r.ev_class = to_regclass($1) AND d.classid = 'pg_rewrite'::regclass
                       AND d.refobjid = to_regclass($2)) AS reads`,
    [quoted(view), quoted(physical)],
  );
  return rows[0]?.reads === true;
};
