import { Command } from 'commander';
import type { RecordedEvent } from '../../events/envelope.js';
import type { EventFilter, EventStore } from '../../events/eventStore.js';
import { lineOf } from '../../events/eventLine.js';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError } from '../failure.js';
import { logRange, type RangeOptions } from '../../events/logRange.js';
import { eventTypes, instant, position, refuseEmptyRange, stream, uuid } from '../options.js';
import { toJson } from '../output.js';
import { adoptCommand } from './adoptLog.js';
import { copyCommand } from './copyEvents.js';

interface FilterOptions extends RangeOptions {
  readonly org?: string;
  readonly type?: readonly string[];
}

/** Large enough that the reader is never the bottleneck, small enough to stay out of the way: about 5 MB. */
const EXPORT_PAGE = 5_000;

const filterOf = ({ org, type }: FilterOptions): EventFilter => ({
  ...(org !== undefined && { orgId: org }),
  ...(type !== undefined && { types: type }),
});

/** NDJSON, one page in memory at a time; the reader sets the pace. */
export const exportEvents = async (cli: Cli, store: EventStore, options: FilterOptions): Promise<void> => {
  const { after, until } = await logRange(store, { ...options, signal: cli.signal });
  if (after >= until) return;
  const filter = filterOf(options);
  const pages = store.readLines({ after, until, filter, pageSize: EXPORT_PAGE, signal: cli.signal });
  for await (const lines of pages) if (lines.length > 0) await cli.io.print(lines.join('\n'));
};

/** `4711  2026-11-23T10:00:00.000Z  payment-…#0  PaymentFailed  user:…` and, indented, what it says */
const describe = ({ position: at, recorded_at, stream: of, revision, type, metadata, data }: RecordedEvent) =>
  `${at}  ${recorded_at}  ${of}#${revision}  ${type}  ${metadata.actor.type}:${metadata.actor.id}\n    ${toJson(data)}`;

const printEvents = async (cli: Cli, events: readonly RecordedEvent[]): Promise<void> => {
  if (events.length > 0) await cli.io.print(events.map(cli.io.json ? lineOf : describe).join('\n'));
};

export const showStream = async (cli: Cli, store: EventStore, name: string): Promise<void> => {
  let found = false;
  for await (const page of store.readStream(name)) {
    found ||= page.length > 0;
    await printEvents(cli, page);
  }
  if (!found)
    throw new CliError('not_found', `There is no stream ${name}.`, 'Are the id and DATABASE_URL right?');
};

export const tailEvents = async (cli: Cli, store: EventStore, options: FilterOptions): Promise<void> => {
  const { from, after } = options;
  const start = from !== undefined ? await store.positionBefore(from) : (after ?? (await store.head()));
  const deliveries = store.subscribe({ after: start, filter: filterOf(options), signal: cli.signal });
  for await (const delivery of deliveries) {
    if (delivery.kind === 'events') await printEvents(cli, delivery.events);
  }
};

const withFilters = (command: Command): Command =>
  command
    .option('--org <id>', 'of this organization', uuid)
    .option('--type <type>', 'of this type (repeatable)', eventTypes)
    .option('--after <position>', 'after this position', position)
    .option('--from <instant>', 'recorded at this instant or later', instant);

export const eventsCommand = (cli: Cli): Command => {
  const group = new Command('events')
    .description('read the event log, copy it, and say whose it is')
    .addHelpText('afterAll', environmentSection(databaseVariables));
  withFilters(group.command('tail'))
    .description('print events as they are recorded, until Ctrl-C')
    // Ctrl-C is how a tail ends.
    .action((options: FilterOptions) =>
      withServices(cli, ({ store }) => tailEvents(cli, store, options), 'ends'),
    );
  group
    .command('show')
    .argument('<stream>', 'e.g. recovery-<id>', stream)
    .description('print one stream')
    .action((name: string) => withServices(cli, ({ store }) => showStream(cli, store, name)));
  withFilters(group.command('export'))
    .option('--to <instant>', 'recorded before this instant', instant)
    .description('print the log, or a part of it, as one JSON object per line, up to where it ends now')
    .action((options: FilterOptions) => {
      refuseEmptyRange(options, 'recovery events export');
      return withServices(cli, ({ store }) => exportEvents(cli, store, options));
    });
  return group.addCommand(copyCommand(cli)).addCommand(adoptCommand(cli));
};
