import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { Tables } from '../../commands/recovery/classification/compileTables.js';
import {
  type Change,
  type Judgement,
  reclassify,
} from '../../commands/recovery/classification/reclassify.js';
import { allTables, otherTables, tablesOfVersion } from '../../commands/recovery/classification/tables.js';
import type { EventStore } from '../../events/eventStore.js';
import { logRange } from '../../events/logRange.js';
import { jsonFaultIn } from '../../kernel/jsonFault.js';
import { formatMoney } from '../../kernel/money.js';
import { type Cli, withServices } from '../context.js';
import { CliError, exitCodes, UsageError } from '../failure.js';
import { instant, refuseEmptyRange, uuid } from '../options.js';
import { printable, toJson } from '../output.js';

interface Options {
  readonly table: string;
  readonly dryRun?: true;
  readonly org?: string;
  readonly from?: string;
  readonly to?: string;
}

const notFound = (table: string): CliError => {
  const versions = allTables.map(({ version }) => version).join(', ');
  const fix = `Give one of ${versions}, or the path of a file like them.`;
  return new CliError('not_found', `There is no table version and no file ${table}.`, fix, exitCodes.usage);
};

const jsonIn = (table: string, text: string): unknown => {
  const fault = jsonFaultIn(text);
  if (fault === undefined) return JSON.parse(text);
  const message = `${table} is not JSON: line ${fault.line}, column ${fault.column}.`;
  throw new CliError('not_parsable', message, 'See docs/declines.md for the form.', exitCodes.usage);
};

/** @throws DomainError `validation_failed` with a JSON pointer for each field that cannot be used */
const tablesOf = async (table: string): Promise<Tables> => {
  const known = tablesOfVersion(table);
  if (known !== undefined) return known;
  const text = await readFile(table, 'utf8').catch(() => {
    throw notFound(table);
  });
  return otherTables(jsonIn(table, text.replace(/^\uFEFF/, '')));
};

interface Total {
  readonly before: Judgement;
  readonly after: Judgement;
  recoveries: number;
  /** In minor units per currency. */
  readonly amounts: Record<string, bigint>;
}

const add = (totals: Map<string, Total>, { before, after, amount, currency }: Change): void => {
  const [from, to] = [before, after].map(({ table_version: _, ...judgement }) => judgement) as [
    Judgement,
    Judgement,
  ];
  const name = toJson([from, to]);
  const total = totals.get(name) ?? { before: from, after: to, recoveries: 0, amounts: {} };
  total.recoveries += 1;
  total.amounts[currency] = (total.amounts[currency] ?? 0n) + BigInt(amount);
  totals.set(name, total);
};

const judgement = ({ category, retry, wait_minutes }: Judgement): string =>
  `${category} (${retry}${wait_minutes === undefined ? '' : ` after ${wait_minutes} min`})`;

const money = (amounts: Readonly<Record<string, bigint>>): string =>
  Object.entries(amounts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => formatMoney(Number(amount), currency))
    .join(', ');

const lineOf = ({ recovery_id, occurred_at, amount, currency, before, after, evidence }: Change): string =>
  [
    recovery_id,
    occurred_at,
    formatMoney(amount, currency),
    `${judgement(before)} -> ${judgement(after)}`,
    printable(`${evidence.before} -> ${evidence.after}`),
  ].join('  ');

const summary = (totals: readonly Total[], failures: number, { version }: Tables): string => {
  const changed = totals.reduce((sum, { recoveries }) => sum + recoveries, 0);
  const lines = totals.map(
    ({ before, after, recoveries, amounts }) =>
      `  ${recoveries}  ${judgement(before)} -> ${judgement(after)}  ${money(amounts)}`,
  );
  return [
    `${failures} failures read by tables ${version}: ${changed} recoveries would have gone elsewhere.`,
    ...lines,
  ].join('\n');
};

/** One line per recovery as it is found, then what it comes to. */
const tryTables = async (cli: Cli, store: EventStore, tables: Tables, options: Options): Promise<void> => {
  const { org: orgId, from, to } = options;
  const { io, signal } = cli;
  const range = await logRange(store, {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    signal,
  });
  const totals = new Map<string, Total>();
  let failures = 0;
  for await (const page of reclassify(store, tables, { ...range, orgId, signal })) {
    failures += page.failures;
    for (const change of page.changes) add(totals, change);
    const lines = page.changes.map(io.json ? toJson : lineOf);
    if (lines.length > 0) await io.print(lines.join('\n'));
  }
  const sorted = [...totals.values()].sort((a, b) => b.recoveries - a.recoveries);
  const { version } = tables;
  const told = { table_version: version, failures, changes: sorted };
  await io.print(io.json ? toJson({ totals: told }) : summary(sorted, failures, tables));
};

export const reclassifyCommand = (cli: Cli): Command => {
  const command = new Command('reclassify');
  return command
    .description('list the recoveries that other tables would have sent elsewhere, and the amounts at stake')
    .requiredOption('--table <version|file>', 'a version of the tables, or the path of a table file')
    .option('--dry-run', 'only look; there is no other way')
    .option('--org <id>', 'of this organization', uuid)
    .option('--from <instant>', 'failures recorded at this instant or later', instant)
    .option('--to <instant>', 'failures recorded before this instant', instant)
    .action(async (options: Options) => {
      if (options.dryRun !== true) {
        const message =
          'What is recorded stays as it is, and tables are adopted by shipping them in a release: give --dry-run.';
        throw new UsageError(message, 'recovery declines reclassify');
      }
      refuseEmptyRange(options, 'recovery declines reclassify');
      const tables = await tablesOf(options.table);
      await withServices(cli, ({ store }) => tryTables(cli, store, tables, options));
    });
};
