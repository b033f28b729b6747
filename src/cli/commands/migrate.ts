import { Command } from 'commander';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError, exitCodes } from '../failure.js';
import { integer } from '../options.js';
import { printList, printResult } from '../output.js';
import type { CliServices } from '../services.js';

interface Options {
  readonly steps?: number;
}

interface DownOptions extends Options {
  readonly yes?: true;
}

/** What holds the only copy of something: everything else is rebuilt from the log. */
const IRREPLACEABLE = /^\d+_(events|vault)\.js$/;

const report = (cli: Cli, done: string, names: readonly string[]): Promise<void> => {
  const sentence =
    names.length === 0 ? `Nothing ${done}: there was nothing to do.` : `${done}:\n  ${names.join('\n  ')}`;
  return printResult(cli.io, sentence[0]?.toUpperCase() + sentence.slice(1), { [done]: names });
};

const up = async (cli: Cli, { migrations }: CliServices, { steps }: Options): Promise<void> => {
  const { unknown } = await migrations.status();
  if (unknown.length > 0) {
    throw new CliError(
      'newer_database',
      `The database was migrated by a newer version, which added ${unknown.join(', ')}.`,
      'Run the newer version, or take these back with its `recovery migrate down`.',
      exitCodes.refused,
    );
  }
  await report(cli, 'applied', await migrations.up(steps));
};

const down = async (
  cli: Cli,
  { migrations }: CliServices,
  { steps = 1, yes }: DownOptions,
): Promise<void> => {
  const { applied } = await migrations.status();
  const lost = applied.slice(-steps).filter((name) => IRREPLACEABLE.test(name));
  if (lost.length > 0 && !yes) {
    throw new CliError(
      'irreplaceable',
      `This would drop ${lost.join(' and ')}: the event log and the vault cannot be rebuilt from anything.`,
      'Make a backup; then say --yes to lose them.',
      exitCodes.refused,
    );
  }
  await report(cli, 'taken back', await migrations.down(steps));
};

const status = async (cli: Cli, { migrations }: CliServices): Promise<void> => {
  const { applied, pending, unknown } = await migrations.status();
  if (cli.io.json) return printResult(cli.io, '', { applied, pending, unknown });
  const rows = Object.entries({ applied, pending, unknown });
  await printList(
    cli.io,
    ['migration', 'state'],
    rows.flatMap(([state, names]) => names.map((migration) => ({ migration, state }))),
  );
};

const steps = ['--steps <n>', 'this many', integer(1, 1000)] as const;

export const migrateCommand = (cli: Cli): Command => {
  const group = new Command('migrate')
    .description('bring the database to the form this version needs')
    .addHelpText('afterAll', environmentSection(databaseVariables));
  group
    .command('up')
    .description('apply what is pending (serve does so by itself, unless MIGRATE_ON_START is false)')
    .option(...steps)
    .action((options: Options) => withServices(cli, (services) => up(cli, services, options)));
  group
    .command('down')
    .description('take back the last migration; what it held is lost')
    .option(...steps)
    .option('--yes', 'also when the event log or the vault would be lost')
    .action((options: DownOptions) => withServices(cli, (services) => down(cli, services, options)));
  group
    .command('status')
    .description('list what is applied and what is pending')
    .action(() => withServices(cli, (services) => status(cli, services)));
  return group;
};
