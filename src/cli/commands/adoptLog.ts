import { Command } from 'commander';
import { type Cli, withServices } from '../context.js';
import { CliError, exitCodes } from '../failure.js';
import { printResult } from '../output.js';
import type { CliServices } from '../services.js';

interface Options {
  readonly yes?: true;
}

const HELP = `
The log in EventStoreDB names the installation, that is the database, that it belongs to; no other may use it. A database
that takes the place of a lost one adopts the log of that one, and folds its read models from it.
`;

export const adoptLog = async (cli: Cli, { log }: CliServices, { yes }: Options): Promise<void> => {
  if (log === undefined)
    throw new CliError(
      'no_event_store',
      'The log is in Postgres, and belongs to its database.',
      'Set EVENTSTORE_URL to adopt the log there.',
      exitCodes.usage,
    );
  const { installation, owner } = await log.status();
  if (owner !== undefined && owner.installation !== installation && !yes)
    throw new CliError(
      'log_of_another',
      `The log belongs to installation ${owner.installation} since ${owner.since}.`,
      'Stop every process of that installation, or both act on the same payments; then say --yes to take it over.',
      exitCodes.refused,
    );
  await log.adopt();
  await printResult(cli.io, `The log belongs to this installation, ${installation}.`, { installation });
};

export const adoptCommand = (cli: Cli): Command =>
  new Command('adopt')
    .description("make the log at EVENTSTORE_URL this database's, in the place of a lost one")
    .option('--yes', "also when it is another database's")
    .addHelpText('after', HELP)
    .action((options: Options) => withServices(cli, (services) => adoptLog(cli, services, options)));
