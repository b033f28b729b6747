/** The tables in docs/declines.md; run as a script (`npm run docs:declines`), they are written anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TableGroup, TableRow } from '../../../src/commands/recovery/classification/tableFile.js';
import { allTables } from '../../../src/commands/recovery/classification/tables.js';
import { HOUR, MINUTE } from '../../../src/kernel/clock.js';

const FILE = fileURLToPath(new URL('../../../docs/declines.md', import.meta.url));
const BEGIN = '<!-- tables: written by npm run docs:declines -->\n';
const END = '<!-- end of the tables -->';

const newest = allTables[allTables.length - 1] as (typeof allTables)[number];
const { file } = newest;

const strictness = ['allowed', 'after_change', 'never'] as const;

/** What holds in the end: the category's permission, or the row's where it is stricter. */
const permission = ({ category, retry, visa_category, silent }: TableRow): string => {
  if (silent === true) return '';
  const said = [
    category === undefined ? 'allowed' : file.categories[category].retry,
    visa_category === 1 ? 'never' : (retry ?? 'allowed'),
  ];
  return said.reduce((a, b) =>
    strictness.indexOf(a as 'never') >= strictness.indexOf(b as 'never') ? a : b,
  );
};

const notes = ({ wait_minutes, visa_category, when, note }: TableRow): string =>
  [
    ...(visa_category === undefined ? [] : [`Visa category ${visa_category}`]),
    ...(wait_minutes === undefined ? [] : [`not before ${(wait_minutes * MINUTE) / HOUR} h`]),
    ...(when?.source === undefined ? [] : [`source ${when.source.join(', ')}`]),
    ...(when?.step === undefined ? [] : [`step ${when.step.join(', ')}`]),
    ...(note === undefined ? [] : [note]),
  ].join('; ');

const code = (text: string): string => `\`${text}\``;

const rowOf = (row: TableRow): string =>
  `| ${row.codes.map(code).join(' ')} | ${row.category ?? ''} | ${permission(row)} | ${notes(row)} |`;

const groupOf = ({ name, source, fields, brands, rows }: TableGroup): string => {
  const cards = brands === undefined ? 'every card' : `cards of: ${brands.join(', ')}`;
  return [
    `### ${name}`,
    '',
    `Read in ${fields.map(code).join(' and ')}, of ${cards}. Source: ${file.sources[source]}.`,
    '',
    '| codes | category | the same method again | |',
    '|---|---|---|---|',
    ...rows.map(rowOf),
    '',
  ].join('\n');
};

const messages = (): string =>
  [
    '### Messages',
    '',
    `Case-insensitive regular expressions, in this order. Source: ${file.sources[file.messages.source]}.`,
    '',
    '| told as | pattern | category |',
    '|---|---|---|',
    ...file.messages.patterns.map(
      ({ name = '', pattern, category }) =>
        `| ${name} | ${code(pattern.replaceAll('|', '\\|'))} | ${category} |`,
    ),
    '',
  ].join('\n');

const versions = (): string =>
  [
    '| version | in force from | |',
    '|---|---|---|',
    ...allTables.map(
      ({ version, effectiveFrom, file: { summary } }) => `| ${version} | ${effectiveFrom} | ${summary} |`,
    ),
    '',
    `These are the tables of ${newest.version}.`,
    '',
  ].join('\n');

/** The part of docs/declines.md between its marks, as the newest tables have it. */
export const tablesDoc = (): string => ['', versions(), ...file.groups.map(groupOf), messages()].join('\n');

const split = (text: string): readonly [before: string, tables: string, after: string] => {
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  return [text.slice(0, from), text.slice(from, to), text.slice(to)];
};

/** What stands there. */
export const writtenTables = (): string => split(readFileSync(FILE, 'utf8'))[1];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [before, , after] = split(readFileSync(FILE, 'utf8'));
  writeFileSync(FILE, before + tablesDoc() + after);
}
