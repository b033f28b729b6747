import Table from 'cli-table3';
import type { Io } from './io.js';

/** A row of a list: column → value; an absent value prints as a dash. */
export type Cells = object;

const jsonValue = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;

/** What steers a terminal, or shows in another order than it is written: C0 and C1, format signs, line separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Words of others as one line that does nothing but show: `\u{1b}` for what is no visible character. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);

/** What JSON would write as it is. */
const INVISIBLE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;
const escaped = (sign: string): string =>
  sign
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** One line of JSON; positions and revisions are written as text, because they may exceed 2^53. */
export const toJson = (value: unknown): string =>
  ((JSON.stringify(value, jsonValue) as string | undefined) ?? 'null').replace(INVISIBLE, escaped);

const cell = (value: unknown): string => {
  if (value === undefined || value === null || value === '') return '-';
  if (typeof value === 'object') return toJson(value);
  return String(value as string | number | bigint | boolean);
};

const cellsOf = (columns: readonly string[], row: Cells): string[] => {
  const values = new Map<string, unknown>(Object.entries(row));
  return columns.map((column) => cell(values.get(column)));
};

const tableOf = (columns: readonly string[], rows: readonly Cells[]): string => {
  const table = new Table({ head: [...columns], style: { head: [], border: [] }, wordWrap: true });
  table.push(...rows.map((row) => cellsOf(columns, row)));
  return table.toString();
};

/** Tab-separated, one row per line, so that `cut` and `awk` can take it apart. */
const linesOf = (columns: readonly string[], rows: readonly Cells[]): string =>
  [columns.join('\t'), ...rows.map((row) => cellsOf(columns, row).join('\t'))]
    .map((line) => line.replaceAll('\n', ' '))
    .join('\n');

/**
 * A list: a table on a terminal, tab-separated lines otherwise; with --json the values themselves, which may hold
 * more than the columns shown.
 */
export const printList = (io: Io, columns: readonly string[], rows: readonly Cells[]): Promise<void> => {
  if (io.json) return io.print(toJson({ data: rows }));
  return io.print(io.interactive ? tableOf(columns, rows) : linesOf(columns, rows));
};

/** One answer: a sentence for people, a value with --json. */
export const printResult = (io: Io, sentence: string, value: unknown): Promise<void> =>
  io.print(io.json ? toJson(value) : sentence);
