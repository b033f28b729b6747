import { Command } from 'commander';
import { SAGA_GROUP } from '../../workers/saga.js';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError } from '../failure.js';
import { printList, printResult, toJson } from '../output.js';
import type { ParkedAdmin } from '../services.js';

interface Options {
  readonly group: string;
  readonly first?: true;
}

const columns = ['key', 'messages', 'tries', 'parked_at', 'tried_at', 'reason', 'group'];

const list = async (cli: Cli, parked: ParkedAdmin): Promise<void> =>
  printList(cli.io, columns, await parked.list());

const find = async (parked: ParkedAdmin, group: string, key: string) => {
  const found = (await parked.list()).find((one) => one.group === group && one.key === key);
  if (found !== undefined) return found;
  const fix = '`recovery parked list` shows what is.';
  throw new CliError('not_found', `Nothing is parked under ${key} in ${group}.`, fix);
};

const show = async (cli: Cli, parked: ParkedAdmin, key: string, { group }: Options): Promise<void> => {
  const sequence = await find(parked, group, key);
  const messages = await parked.messages(group, key);
  if (cli.io.json) return cli.io.print(toJson({ ...sequence, messages }));
  const head = `${key}: ${sequence.messages} parked, the first tried ${sequence.tries} times: ${sequence.reason}`;
  const lines = messages.map(({ id, parked_at, form }) => `${parked_at}  ${id}\n    ${toJson(form)}`);
  await cli.io.print([head, ...lines].join('\n'));
};

const retry = async (cli: Cli, parked: ParkedAdmin, key: string, { group }: Options): Promise<void> => {
  await find(parked, group, key);
  const result = await parked.retry(group, key, cli.signal);
  const done = `${result.handled} handled, ${result.left} left parked.`;
  await printResult(cli.io, done, { key, group, ...result });
  if (result.reason !== undefined)
    throw new CliError('still_parked', `The first one left could not be handled: ${result.reason}`);
};

const discard = async (cli: Cli, parked: ParkedAdmin, key: string, options: Options): Promise<void> => {
  const { group, first } = options;
  await find(parked, group, key);
  const discarded = await parked.discard(group, key, first ? 'first' : 'all');
  await printResult(cli.io, `${discarded} discarded.`, { key, group, discarded });
};

export const parkedCommand = (cli: Cli): Command => {
  const group = new Command('parked')
    .description(
      'look after messages that could not be handled; those of one payment wait together, in order',
    )
    .addHelpText('afterAll', environmentSection(databaseVariables));
  const sequence = (name: string, description: string): Command =>
    group
      .command(name)
      .argument('<key>', 'whose messages: the payment, as list shows it')
      .description(description)
      .option('--group <name>', 'the consumer group', SAGA_GROUP);
  group
    .command('list')
    .description('list whose messages are parked, and why')
    .action(() => withServices(cli, ({ parked }) => list(cli, parked)));
  sequence('show', 'print the messages, in order').action((key: string, options: Options) =>
    withServices(cli, ({ parked }) => show(cli, parked, key, options)),
  );
  sequence('retry', 'handle them in order; stopped, it goes on where it was when run again').action(
    (key: string, options: Options) => withServices(cli, ({ parked }) => retry(cli, parked, key, options)),
  );
  sequence('discard', 'give them up; they are never handled')
    .option('--first', 'only the first, so that the others can be retried')
    .action((key: string, options: Options) =>
      withServices(cli, ({ parked }) => discard(cli, parked, key, options)),
    );
  return group;
};
