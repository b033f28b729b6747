import type { CustomTypesConfig } from 'pg';
import type { ColumnType, Row, Table } from './projection.js';
import { columnsOf, quoted } from './table.js';

/** What goes to and comes from the table. Live rows pass through it, rows of a rebuild stay in memory: both must be equal. */
export interface Codec {
  /** Quoted and comma-separated. */
  readonly columnList: string;
  /** The column definitions of json_to_recordset. */
  readonly recordset: string;
  /** `col = EXCLUDED.col` for every column but the key. */
  readonly updates: string;
  readonly keyType: ColumnType;
  /**
   * A row exactly as it would come back from the table: these columns, null for undefined, instants in UTC with
   * milliseconds. The same object when it is so already.
   */
  readonly normalize: (row: Row) => Row;
  /** A line of COPY's text format, with its line feed. */
  readonly toCopy: (row: Row) => string;
}

const canonicalInstant = (value: unknown): boolean =>
  typeof value === 'string' && value.length === 24 && value.endsWith('Z');

const normalizer = (columns: readonly (readonly [string, ColumnType])[]): ((row: Row) => Row) => {
  const instants = columns.filter(([, type]) => type === 'timestamptz').map(([column]) => column);
  const names = columns.map(([column]) => column);
  const isNormal = (row: Row): boolean => {
    for (const name of names) if (row[name] === undefined) return false;
    for (const name of instants) if (row[name] !== null && !canonicalInstant(row[name])) return false;
    return Object.keys(row).length === names.length;
  };
  return (row) => {
    if (isNormal(row)) return row;
    const normal: Record<string, unknown> = {};
    for (const name of names) normal[name] = row[name] ?? null;
    for (const name of instants) {
      const value = normal[name];
      if (value !== null && !canonicalInstant(value)) normal[name] = new Date(value as string).toISOString();
    }
    return normal as Row;
  };
};

const SPECIAL = /[\\\n\r\t]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = (text: string): string =>
  SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text;

const copyValue = (value: unknown, type: ColumnType): string => {
  if (value === null || value === undefined) return '\\N';
  if (type === 'jsonb') return escaped(JSON.stringify(value));
  if (type === 'text') return escaped(value as string);
  // Numbers, booleans, ids and times have nothing to escape: the table would refuse anything else.
  return String(value as string | number | boolean);
};

export const codecOf = (table: Table): Codec => {
  const columns = [...columnsOf(table)];
  const columnList = columns.map(([column]) => quoted(column)).join(', ');
  return {
    columnList,
    recordset: columns.map(([column, type]) => `${quoted(column)} ${type}`).join(', '),
    updates: columns
      .filter(([column]) => column !== 'key')
      .map(([column]) => `${quoted(column)} = EXCLUDED.${quoted(column)}`)
      .join(', '),
    keyType: columnsOf(table).get('key') ?? 'text',
    normalize: normalizer(columns),
    toCopy: (row) => {
      let line = '';
      for (const [column, type] of columns) {
        line += (line === '' ? '' : '\t') + copyValue(row[column], type);
      }
      return `${line}\n`;
    },
  };
};

const asInstant = (text: string): string => new Date(text).toISOString();
const asNumber = (text: string): number => Number(text);
const asIs = (text: string): string => text;
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  20: asNumber,
  23: asNumber,
  114: JSON.parse,
  1082: asIs,
  1184: asInstant,
  3802: JSON.parse,
};

/** Reads rows in the form the fold knows, whatever parsers the process has set for others. */
export const rowTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number) => parsers[oid] ?? asIs) as CustomTypesConfig['getTypeParser'],
};
