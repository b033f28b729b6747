import { instantOf } from '../kernel/clock.js';
import type { Db } from '../kernel/db.js';
import { DomainError } from '../kernel/errors.js';
import { isUuid } from '../kernel/ids.js';
import type { Row, Table } from './engine/projection.js';

/*
 * How read models are read. Tenant scoping lives here: every statement is made by `rowById`, `pageOf` or
 * `selectOf`, and each of them opens its WHERE with `org_id = $1`.
 */

/** A condition on a column; one without a value is left out. */
export interface Condition {
  readonly column: string;
  readonly is: '=' | '>=' | '<=' | '<';
  readonly value: string | number | boolean | undefined;
}

export interface PageArgs {
  readonly orgId: string;
  /** Rows at most. */
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

export interface Page<R> {
  readonly rows: readonly R[];
  /** Opaque; null on the last page. */
  readonly nextCursor: string | null;
}

const quoted = (name: string): string => `"${name}"`;
const columnsOf = (table: Table): string => Object.keys(table.columns).map(quoted).join(', ');

/** int8 arrives as text; every bigint of a read model is below 2^53. */
const decoderOf = <R extends Row>(table: Table): ((raw: Record<string, unknown>) => R) => {
  const bigints = Object.keys(table.columns).filter((column) => table.columns[column] === 'bigint');
  return (raw) => {
    for (const column of bigints) if (raw[column] !== null) raw[column] = Number(raw[column]);
    return raw as R;
  };
};

/** A reader of the organization's row with a key; a prepared statement. */
export const rowById = <R extends Row>(table: Table) => {
  const decode = decoderOf<R>(table);
  const text = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)} WHERE org_id = $1 AND key = $2`;
  const name = `${table.name}_by_id`;
  return async (db: Db, { orgId, id }: { orgId: string; id: string }): Promise<R | undefined> => {
    const { rows } = await db.query<Record<string, unknown>>({ name, text, values: [orgId, id] });
    return rows[0] && decode(rows[0]);
  };
};

export const encodeCursor = (at: string | number, key: string): string =>
  Buffer.from(JSON.stringify([at, key])).toString('base64url');

const invalidCursor = (): DomainError =>
  new DomainError('validation_failed', 'cursor is not one that this list gave out', [
    { pointer: '/cursor', detail: 'not a cursor of this list' },
  ]);

/** What a list gives out for a column of this type, and nothing else. */
const fits: Readonly<Partial<Record<string, (value: unknown) => boolean>>> = {
  uuid: (value) => typeof value === 'string' && isUuid(value),
  timestamptz: (value) => typeof value === 'string' && instantOf(value) === value,
  integer: (value) => Number.isInteger(value) && Math.abs(value as number) < 1e9,
  text: (value) => typeof value === 'string' && /^[\x20-\x7e]{1,300}$/.test(value),
};

const decodeCursor = (cursor: string, types: readonly (string | undefined)[]): readonly unknown[] => {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw invalidCursor();
  }
  if (!Array.isArray(values) || values.length !== types.length) throw invalidCursor();
  if (!types.every((type, index) => fits[type ?? '']?.(values[index]) === true)) throw invalidCursor();
  return values as unknown[];
};

/**
 * A reader of one page of the organization's rows, newest first by `order` and then by key, both of them at the
 * end of an index that begins with org_id: a page costs the same wherever it lies (keyset, no OFFSET).
 */
export const pageOf = <R extends Row>(table: Table, order: string) => {
  const decode = decoderOf<R>(table);
  const types = [table.columns[order], table.columns.key];
  const from = `SELECT ${columnsOf(table)} FROM ${quoted(table.name)}`;
  const sort = `ORDER BY ${quoted(order)} DESC, key DESC`;
  return async (db: Db, args: PageArgs, conditions: readonly Condition[] = []): Promise<Page<R>> => {
    const values: unknown[] = [args.orgId];
    const where = ['org_id = $1'];
    for (const { column, is, value } of conditions)
      if (value !== undefined) where.push(`${quoted(column)} ${is} $${values.push(value)}`);
    if (args.cursor !== undefined) {
      const [at, key] = decodeCursor(args.cursor, types);
      where.push(`(${quoted(order)}, key) < ($${values.push(at)}, $${values.push(key)})`);
    }
    // One row more than asked for tells whether there is a next page.
    const text = `${from} WHERE ${where.join(' AND ')} ${sort} LIMIT $${values.push(args.limit + 1)}`;
    const rows = (await db.query<Record<string, unknown>>({ text, values })).rows.map(decode);
    const page = rows.slice(0, args.limit);
    const last = rows.length > args.limit ? page.at(-1) : undefined;
    return { rows: page, nextCursor: last ? encodeCursor(last[order] as string | number, last.key) : null };
  };
};

/**
 * Aggregates over the organization's rows: `SELECT <select> FROM table <join> WHERE org_id = … <rest>`.
 * Select, join and rest are texts of ours with $2, $3, … for the values.
 */
export const selectOf = async (
  db: Db,
  table: Table,
  query: { orgId: string; select: string; join?: string; rest: string; values: readonly unknown[] },
): Promise<readonly Record<string, unknown>[]> => {
  const from = `${quoted(table.name)} ${query.join ?? ''}`;
  const text = `SELECT ${query.select} FROM ${from} WHERE org_id = $1 ${query.rest}`;
  return (await db.query<Record<string, unknown>>(text, [query.orgId, ...query.values])).rows;
};
