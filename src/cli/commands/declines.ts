import { Command, InvalidArgumentError } from 'commander';
import { classify } from '../../commands/recovery/classification/classify.js';
import { meaningOf } from '../../commands/recovery/classification/meaning.js';
import { allTables, tablesInForceOn } from '../../commands/recovery/classification/tables.js';
import { DAY, isBefore, LAST_INSTANT, plus } from '../../kernel/clock.js';
import type { Failure } from '../../kernel/ports.js';
import { listUnmapped } from '../../projections/unmappedCodes/queries.js';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { instant, integer, text, uuid } from '../options.js';
import { printable, printList, printResult } from '../output.js';
import type { CliServices } from '../services.js';
import { reclassifyCommand } from './reclassify.js';

interface UnmappedOptions {
  readonly org?: string;
  readonly limit: number;
}

const columns = [
  'field',
  'value',
  'brand',
  'count',
  'organizations',
  'first_seen',
  'last_seen',
  'recovery_id',
];

/** The codes are the words of clients and providers: nothing in them may steer the terminal. */
const unmapped = async (cli: Cli, { db }: CliServices, { org, limit }: UnmappedOptions): Promise<void> => {
  const codes = await listUnmapped(db, { orgId: org, limit });
  await printList(
    cli.io,
    columns,
    cli.io.json ? codes : codes.map((row) => ({ ...row, value: printable(row.value) })),
  );
};

const listTables = (cli: Cli, now: string): Promise<void> => {
  const current = tablesInForceOn(now).version;
  const rows = allTables.map(({ version, effectiveFrom, file: { summary, sources, groups } }) => ({
    version,
    effective_from: effectiveFrom,
    in_force: version === current,
    codes: groups.reduce((sum, { rows: each }) => sum + each.flatMap(({ codes }) => codes).length, 0),
    summary,
    sources: cli.io.json ? sources : Object.values(sources).join('; '),
  }));
  return printList(cli.io, ['version', 'effective_from', 'in_force', 'codes', 'summary', 'sources'], rows);
};

interface ClassifyOptions {
  readonly code?: string;
  readonly declineCode?: string;
  readonly networkCode?: string;
  readonly adviceCode?: string;
  readonly brand?: string;
  readonly message?: string;
  readonly source?: string;
  readonly step?: string;
  readonly on?: string;
}

const code = text(100);

/** A wait of a year after it can still be told. */
const dayOrInstant = (given: string): string => {
  const at = instant(given);
  if (isBefore(plus(LAST_INSTANT, -366 * DAY), at))
    throw new InvalidArgumentError('Give an instant before the last year of the calendar, 9999.');
  return at;
};

const failureOf = (options: ClassifyOptions): Failure => {
  const { code, declineCode, networkCode, adviceCode, brand, message, source, step } = options;
  return {
    ...(code !== undefined && { code }),
    ...(declineCode !== undefined && { decline_code: declineCode }),
    ...(networkCode !== undefined && { network_code: networkCode }),
    ...(adviceCode !== undefined && { advice_code: adviceCode }),
    ...(brand !== undefined && { card_brand: brand }),
    ...(message !== undefined && { message }),
    ...(source !== undefined && { source }),
    ...(step !== undefined && { step }),
  };
};

const tell = (cli: Cli, options: ClassifyOptions, now: string): Promise<void> => {
  const seen = classify(failureOf(options), options.on ?? now);
  const { category, hardness, retry, earliest_at, evidence } = seen;
  const meaning = meaningOf(seen);
  const { step, value, table_version, unmapped: open = [] } = evidence;
  const lines = [
    `${category} (${hardness}); the same method again: ${retry}${earliest_at === undefined ? '' : `, not before ${earliest_at}`}`,
    meaning,
    `by ${step}${value === undefined ? '' : ` ${printable(value)}`}, tables ${table_version}`,
    ...open.map((each) => `not in the tables: ${printable(each)}`),
  ];
  return printResult(cli.io, lines.join('\n'), { ...seen, meaning });
};

export const declinesCommand = (cli: Cli): Command => {
  const group = new Command('declines')
    .description(
      'how failures are classified: the tables, codes that are in none, and what other tables would do',
    )
    .addHelpText('afterAll', environmentSection(databaseVariables));
  group
    .command('tables')
    .description('list the versions of the tables, since when each holds, and its sources')
    .action(() => listTables(cli, new Date().toISOString()));
  group
    .command('classify')
    .description('tell what a failure with these codes means')
    .option('--decline-code <code>', "the PSP's decline code", code)
    .option('--network-code <code>', "the network's code (ISO 8583, field 39)", code)
    .option('--advice-code <code>', "Mastercard's or Stripe's advice", code)
    .option('--code <code>', "the PSP's error code", code)
    .option('--brand <brand>', 'the network of the card, e.g. visa', code)
    .option('--message <text>', "the PSP's words", text(1_000, 0))
    .option('--source <source>', 'who refused, where the PSP tells (Razorpay)', code)
    .option('--step <step>', 'at which step, where the PSP tells (Razorpay)', code)
    .option('--on <instant>', 'by the tables in force then; default: now', dayOrInstant)
    .action((options: ClassifyOptions) => tell(cli, options, new Date().toISOString()));
  group
    .command('unmapped')
    .description('list the codes that no table knew, the most frequent first, across organizations')
    .option('--org <id>', 'of this organization', uuid)
    .option('--limit <n>', 'at most so many', integer(1, 10_000), 100)
    .action((options: UnmappedOptions) => withServices(cli, (services) => unmapped(cli, services, options)));
  return group.addCommand(reclassifyCommand(cli));
};
