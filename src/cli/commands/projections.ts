import { Command } from 'commander';
import { type Cli, pathOf, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError, exitCodes, UsageError } from '../failure.js';
import { integer, uuid } from '../options.js';
import { printList, printResult } from '../output.js';
import { createProgress, duration } from '../progress.js';
import type { ProjectionStatus } from '../../projections/engine/status.js';
import type { ProjectionAdmin } from '../services.js';

interface RebuildFlags {
  readonly all?: true;
  readonly batch?: number;
  readonly org?: string;
  readonly maxRows?: number;
}

const names = (admin: ProjectionAdmin): string[] => admin.list().map(({ name }) => name);

const known = (admin: ProjectionAdmin, name: string): string => {
  if (names(admin).includes(name)) return name;
  throw new CliError(
    'unknown_projection',
    `There is no projection "${name}".`,
    `There are: ${names(admin).join(', ')}.`,
    exitCodes.usage,
  );
};

/** Exactly one of a name and --all: neither is guessed. */
const chosen = (admin: ProjectionAdmin, command: Command, name?: string, all?: true): readonly string[] => {
  if (name !== undefined && all) throw new UsageError('Give a name or --all, not both.', pathOf(command));
  if (name !== undefined) return [known(admin, name)];
  if (!all) throw new UsageError(`Give --all or a name: ${names(admin).join(', ')}.`, pathOf(command));
  return names(admin);
};

const versions = ({ fold_version, code_version }: ProjectionStatus): string =>
  fold_version === code_version ? String(code_version) : `${fold_version ?? '-'} (code: ${code_version})`;

const toCells = (status: ProjectionStatus) => ({
  ...status,
  version: versions(status),
  lag: `${status.lag.events} events, ${duration(status.lag.seconds)}`,
  heartbeat:
    status.heartbeat_age_seconds === null ? 'never' : `${duration(status.heartbeat_age_seconds)} ago`,
  rebuild: status.rebuild && `${status.rebuild.phase} at ${status.rebuild.position}`,
  trouble: status.blocker ?? undefined,
});

const statusColumns = [
  'name',
  'version',
  'state',
  'position',
  'head',
  'lag',
  'heartbeat',
  'rebuild',
  'trouble',
];

const printStatus = async (cli: Cli, admin: ProjectionAdmin): Promise<void> => {
  const statuses = await admin.status();
  await printList(cli.io, statusColumns, cli.io.json ? statuses : statuses.map(toCells));
};

const rebuild = async (
  cli: Cli,
  admin: ProjectionAdmin,
  chosenNames: readonly string[],
  { batch, org, maxRows }: RebuildFlags,
): Promise<void> => {
  const [only, ...others] = chosenNames;
  const progress = createProgress(cli.io, others.length > 0 || only === undefined ? 'all' : only);
  const rebuilding = admin.rebuild(chosenNames, {
    ...(batch !== undefined && { batch }),
    ...(org !== undefined && { org }),
    ...(maxRows !== undefined && { maxRowsInMemory: maxRows }),
    signal: cli.signal,
    onProgress: (told) => progress.update(told),
  });
  const result = await rebuilding.finally(() => progress.end());
  const { projections, events, elapsedSeconds } = result;
  const rate = Math.round(events / Math.max(elapsedSeconds, 0.001));
  await printResult(
    cli.io,
    `Rebuilt ${projections.join(', ')} from ${events} events in ${duration(elapsedSeconds)} (${rate} events/s).`,
    result,
  );
};

const listCommand = (cli: Cli): Command =>
  new Command('list').description('list the read models and the events each is folded from').action(() =>
    withServices(cli, async ({ projections }) => {
      const rows = projections.list().map((one) => ({ ...one }));
      const shown = rows.map((row) => ({ ...row, events: row.events.join(', ') }));
      await printList(cli.io, ['name', 'version', 'events'], cli.io.json ? rows : shown);
    }),
  );

const statusCommand = (cli: Cli): Command =>
  new Command('status')
    .description('show how far each one is behind the log, and what stops it')
    .action(() => withServices(cli, ({ projections }) => printStatus(cli, projections)));

const rebuildCommand = (cli: Cli): Command =>
  new Command('rebuild')
    .argument('[name]', 'one of `recovery projections list`')
    .description('fold the log anew beside the served table, catch up, and swap; readers go on meanwhile')
    .option('--all', 'every read model, in one pass over the log')
    .option('--batch <n>', 'events per page', integer(1, 50_000))
    .option('--org <id>', "only this organization's rows", uuid)
    .option('--max-rows <n>', 'rows kept in memory at most (50000)', integer(100, 10_000_000))
    .action((name: string | undefined, flags: RebuildFlags, command: Command) =>
      withServices(cli, ({ projections }) =>
        rebuild(cli, projections, chosen(projections, command, name, flags.all), flags),
      ),
    );

const rollbackCommand = (cli: Cli): Command =>
  new Command('rollback')
    .argument('<name>', 'one of `recovery projections list`')
    .description('serve the table that the last rebuild replaced')
    .action((name: string) =>
      withServices(cli, async ({ projections }) => {
        await projections.rollback(known(projections, name));
        await printResult(cli.io, `${name} serves its previous table again.`, { name, rolled_back: true });
      }),
    );

const switchCommand = (cli: Cli, what: 'pause' | 'resume', description: string, done: string): Command =>
  new Command(what)
    .argument('[name]', 'one of `recovery projections list`')
    .description(description)
    .option('--all', 'every read model')
    .action((name: string | undefined, { all }: { all?: true }, command: Command) =>
      withServices(cli, async ({ projections }) => {
        const selected = chosen(projections, command, name, all);
        for (const one of selected) await projections[what](one);
        await printResult(cli.io, `${selected.join(', ')}: ${done}.`, { [`${what}d`]: selected });
      }),
    );

export const projectionsCommand = (cli: Cli): Command =>
  new Command('projections')
    .description('look after the read models')
    .addHelpText('afterAll', environmentSection(databaseVariables))
    .addCommand(listCommand(cli))
    .addCommand(statusCommand(cli))
    .addCommand(rebuildCommand(cli))
    .addCommand(rollbackCommand(cli))
    .addCommand(switchCommand(cli, 'pause', 'stop folding; what is served grows old', 'paused'))
    .addCommand(switchCommand(cli, 'resume', 'go on after a pause, or after a fault was fixed', 'resumed'));
