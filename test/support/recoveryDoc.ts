/** The tables in docs/recovery.md; run as a script (`npm run docs:recovery`), they are written anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Limit,
  type NetworkLimits,
  networkLimits,
} from '../../src/commands/credential/networkLimits.js';
import { builtInPolicy } from '../../src/commands/organization/builtInPolicy.js';
import { newestTables } from '../../src/commands/recovery/classification/tables.js';
import { mailPlans, type MailStep } from '../../src/commands/recovery/mailPlans.js';
import { categories, type Category } from '../../src/events/recovery.js';
import { DAY } from '../../src/kernel/clock.js';

const FILE = fileURLToPath(new URL('../../docs/recovery.md', import.meta.url));
const beginOf = (name: string): string => `<!-- ${name}: written by npm run docs:recovery -->\n`;
const endOf = (name: string): string => `<!-- end of ${name} -->`;

const spoken = (minutes: number): string =>
  minutes % 1_440 === 0 ? `${minutes / 1_440} d` : `${minutes / 60} h`;

const mailOf = ({ template, delay, afterRetries }: MailStep, index: number): string => {
  const after = delay === 0 ? 'at once' : `${delay / DAY} d ${index === 0 ? 'later' : 'after that'}`;
  return `${template} ${afterRetries === true ? `once no retry is left, ${after}` : after}`;
};

const categoryRow = (category: Category): string => {
  const { retry } = newestTables.categories[category];
  const own = builtInPolicy.categories?.[category];
  const retries = Math.min(
    own?.max_retries ?? Infinity,
    builtInPolicy.max_retries,
    newestTables.retryCaps[category] ?? Infinity,
  );
  const waits = (own?.waits_minutes ?? []).map(spoken).join(', ');
  const mails = mailPlans[category].map(mailOf).join('; ');
  return `| ${category} | ${retry === 'allowed' ? `${retries}: ${waits}` : 'none'} | ${mails || 'none'} |`;
};

const waits = (): string =>
  [
    '| category | retries, and the wait before each | mails |',
    '|---|---|---|',
    ...categories.map(categoryRow),
    '',
  ].join('\n');

const countedBy = ({ same }: Limit): string =>
  ['card', ...same].map((word) => ({ initiator: 'who began it' })[word as 'initiator'] ?? word).join(', ');

const limitRow = (brand: string, limit: Limit): string => {
  const span =
    limit.hours % 24 === 0 && limit.hours > 24 ? `${limit.hours / 24} days` : `${limit.hours} hours`;
  return `| ${brand} | ${limit.max} in ${span} | ${limit.schemeMax} | ${countedBy(limit)} | \`${limit.name}\` | ${limit.source} |`;
};

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

const versionOf = ({ version, effectiveFrom, brands, others, perCase, openHours }: NetworkLimits): string =>
  [
    `**Version ${version}**, in force from ${effectiveFrom.slice(0, 10)}: no payment is retried more than ${perCase} times.`,
    '',
    '| network | ours | the network’s | counted per | name | source |'.replace('’', "'"),
    '|---|---|---|---|---|---|',
    ...Object.entries(brands).flatMap(([brand, all]) => all.map((limit) => limitRow(brand, limit))),
    ...others.map((limit) => limitRow('every other, or not told', limit)),
    '',
    ...Object.entries(openHours).flatMap(([brand, { open, timezone, source }]) => [
      `Attempts over ${brand} are made ${open.map(([from, to]) => `${clock(from)}–${clock(to)}`).join(', ')} (${timezone}). Source: ${source}.`,
      '',
    ]),
  ].join('\n');

const limits = (): string => [...networkLimits].reverse().map(versionOf).join('\n');

const parts = { waits, limits } as const;
type Part = keyof typeof parts;
export const partNames = Object.keys(parts) as readonly Part[];

/** What a part says by the code. */
export const generatedPart = (name: Part): string => parts[name]();

/** What it says in the document. */
export const writtenPart = (name: Part): string => {
  const text = readFileSync(FILE, 'utf8');
  return text.slice(text.indexOf(beginOf(name)) + beginOf(name).length, text.indexOf(endOf(name)));
};

const write = (): void => {
  let text = readFileSync(FILE, 'utf8');
  for (const name of partNames) {
    const [begin, end] = [text.indexOf(beginOf(name)) + beginOf(name).length, text.indexOf(endOf(name))];
    text = text.slice(0, begin) + generatedPart(name) + text.slice(end);
  }
  writeFileSync(FILE, text);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) write();
