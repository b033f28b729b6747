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
   * A row exactly as it would come back from the table: these columns in this order, null for undefined, instants in
   * UTC with milliseconds. The same object when it is so already.
   */
  readonly normalize: (row: Row) => Row;
  /** A line of COPY's text format, with its line feed, of a normal row. */
  readonly toCopy: (row: Row) => string;
}

const canonicalInstant = (value: unknown): boolean =>
  typeof value === 'string' && value.length === 24 && value.endsWith('Z');

/** Keys and values are taken as two arrays: looking 30 columns up by name, event by event, took half of a fold's time. */
const normalizer = (columns: readonly (readonly [string, ColumnType])[]): ((row: Row) => Row) => {
  const names = columns.map(([column]) => column);
  const isInstant = columns.map(([, type]) => type === 'timestamptz');
  const isNormal = (row: Row): boolean => {
    const keys = Object.keys(row);
    const values = Object.values(row);
    if (keys.length !== names.length) return false;
    for (let i = 0; i < keys.length; i++) {
      const value = values[i];
      if (keys[i] !== names[i] || value === undefined) return false;
      if (isInstant[i] === true && value !== null && !canonicalInstant(value)) return false;
    }
    return true;
  };
  return (row) => {
    if (isNormal(row)) return row;
    const normal: Record<string, unknown> = {};
    for (const [i, name] of names.entries()) {
      const value = row[name] ?? null;
      const asWritten = isInstant[i] !== true || value === null || canonicalInstant(value);
      normal[name] = asWritten ? value : new Date(value as string).toISOString();
    }
    return normal as Row;
  };
};

const SPECIAL = /[\\\n\r\t]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escaped = (text: string): string =>
  SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (char) => escapes[char] ?? char) : text;

type CopyValue = (value: unknown) => string;

/** Numbers, booleans, ids and times have nothing to escape: the table would refuse anything else. */
const plain: CopyValue = String;
const copyJson: CopyValue = (value) => {
  const json = JSON.stringify(value);
  return json.includes('\\') ? json.replaceAll('\\', '\\\\') : json;
};
const copyText = escaped as CopyValue;
const copyValueOf = (type: ColumnType): CopyValue =>
  type === 'jsonb' ? copyJson : type === 'text' ? copyText : plain;

export const codecOf = (table: Table): Codec => {
  const columns = [...columnsOf(table)];
  const copyValues = columns.map(([, type]) => copyValueOf(type));
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
      const values = Object.values(row);
      let line = '';
      for (const [i, copyValue] of copyValues.entries()) {
        const value = values[i];
        if (i > 0) line += '\t';
        line += value === null ? '\\N' : copyValue(value);
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
