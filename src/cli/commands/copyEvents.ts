import { Command } from 'commander';
import { type Config, settings } from '../../config.js';
import { copyLog, type CopyProgress } from '../../events/copyLog.js';
import { isLogsDiverge } from '../../events/compareLogs.js';
import { type Cli, Interrupted, pathOf } from '../context.js';
import { UsageError } from '../failure.js';
import { printResult } from '../output.js';
import { createProgress, duration, type Shown } from '../progress.js';

interface Options {
  readonly from?: string;
  readonly to?: string;
}

const HELP = `
Copies every event in order, with its stream, revision, id, type, data and metadata. Compares first what the target
holds already, so run it again after an interruption and it goes on; reads back what it has appended.

Stop every process that writes to either log. A Postgres target needs \`recovery migrate up\` before. The target says
itself when an event was recorded: recorded_at becomes the time of the copy, and with it a payment's created_at;
positions change. When it happened, occurred_at, is in the metadata and stays.
`;

/** What verifying takes of a copy. */
const VERIFYING = 0.2;

/** Never repeats the address, which may hold a password. */
const addressOf = (given: string | undefined, option: string, command: Command): string => {
  const forms = [settings.databaseUrl, settings.eventStoreUrl].map(({ parse }) => parse);
  for (const parse of forms) {
    try {
      if (given !== undefined) return parse(given) ?? given;
    } catch {
      // perhaps of the other form
    }
  }
  throw new UsageError(`${option} must be the address of a log: postgres://… or esdb://….`, pathOf(command));
};

const shown = ({ phase, events, position, until }: CopyProgress, seconds: number): Shown => {
  const part = until === 0n ? 1 : Number(position) / Number(until);
  const fraction = phase === 'verifying' ? 1 - VERIFYING * (1 - part) : (1 - VERIFYING) * part;
  const etaSeconds = fraction > 0 && fraction < 1 ? (seconds * (1 - fraction)) / fraction : undefined;
  return {
    phase,
    events,
    eventsPerSecond: Math.round(events / Math.max(seconds, 0.001)),
    fraction,
    ...(etaSeconds !== undefined && { etaSeconds }),
  };
};

const copy = async (cli: Cli, config: Config, from: string, to: string): Promise<void> => {
  const { openLogAt } = await import('../../composition/logAt.js');
  const [source, target] = [openLogAt(from, config), openLogAt(to, config)];
  const progress = createProgress(cli.io, 'copy');
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  try {
    const result = await copyLog(source, target, {
      signal: cli.signal,
      onProgress: (told) => progress.update(shown(told, seconds())),
    }).finally(() => progress.end());
    const sentence =
      `${result.events} events are the same in both logs, ${result.copied} of them copied now, ` +
      `in ${duration(seconds())}. SHA-256 over all of them: ${result.sha256}`;
    await printResult(cli.io, sentence, result);
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
};

export const copyEvents = async (cli: Cli, { from, to }: Options, command: Command): Promise<void> => {
  const config = cli.readConfig();
  const source = addressOf(from ?? config.databaseUrl, '--from', command);
  const target = addressOf(to ?? config.eventStoreUrl, '--to', command);
  try {
    await copy(cli, config, source, target);
  } catch (error) {
    if (isLogsDiverge(error)) throw error;
    cli.io.note('What was copied is kept: run the same command again to go on.');
    throw cli.signal.aborted ? new Interrupted() : error;
  }
};

export const copyCommand = (cli: Cli): Command =>
  new Command('copy')
    .description(
      'copy the whole log to another store and verify it; goes on with a copy that was interrupted',
    )
    .option('--from <url>', 'postgres://… or esdb://… (DATABASE_URL)')
    .option('--to <url>', 'the same forms (EVENTSTORE_URL)')
    .addHelpText('after', HELP)
    .action((options: Options, command: Command) => copyEvents(cli, options, command));
