import { Command, type CommanderError } from 'commander';
import { declinesCommand } from './commands/declines.js';
import { demoCommand } from './commands/demo.js';
import { doctorCommand } from './commands/doctor.js';
import { eventsCommand } from './commands/events.js';
import { migrateCommand } from './commands/migrate.js';
import { parkedCommand } from './commands/parked.js';
import { projectionsCommand } from './commands/projections.js';
import { recoveriesCommand } from './commands/recoveries.js';
import { serveCommand } from './commands/serve.js';
import { type Cli, pathOf } from './context.js';
import { allVariables, environmentSection } from './environment.js';
import { UsageError } from './failure.js';

const EXIT_CODES = `
Exit codes:
  0  done
  1  failed
  2  the command line or the configuration cannot be used
  3  refused: a rule or somebody else's work forbids it now
`;

const shown = new Set(['commander.helpDisplayed', 'commander.version']);

/** commander's complaint, with the command whose help to read. */
const complain = (command: Command) => (error: CommanderError) => {
  if (shown.has(error.code)) throw error;
  const nothingGiven = error.code === 'commander.help';
  const message = nothingGiven
    ? `Say what to do: ${command.commands.map((sub) => sub.name()).join(', ')}.`
    : error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  throw new UsageError(message, pathOf(command));
};

/** The settings commander copies to subcommands only when it creates them itself. */
const configure = (command: Command, print: (text: string) => void): void => {
  command.exitOverride(complain(command));
  command.configureOutput({ writeOut: print, writeErr: () => undefined, outputError: () => undefined });
  command.configureHelp({ showGlobalOptions: true });
  command.commands.forEach((sub) => configure(sub as Command, print));
};

/** @param print where help and version go, as it is */
export const createProgram = (cli: Cli, version: string, print: (text: string) => void): Command => {
  const program = new Command('recovery')
    .description('Wins back failed payments, and proves how. Run the product, look into it, look after it.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'print answers, progress and errors as JSON')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .addHelpText('after', EXIT_CODES)
    .addHelpText('after', environmentSection(allVariables));
  const commands = [
    serveCommand,
    migrateCommand,
    projectionsCommand,
    eventsCommand,
    recoveriesCommand,
    declinesCommand,
    parkedCommand,
    demoCommand,
    doctorCommand,
  ];
  commands.forEach((make) => program.addCommand(make(cli)));
  configure(program, print);
  return program;
};
