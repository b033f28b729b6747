import { Command } from 'commander';
import type { EventStore } from '../../events/eventStore.js';
import type { Explanation } from '../../events/recovery.js';
import { type Decision, explainRecovery } from '../../projections/recoveries/explanation.js';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError } from '../failure.js';
import { uuid } from '../options.js';
import { printable, toJson } from '../output.js';

const word = (value: unknown): string => (typeof value === 'string' ? value : toJson(value));

const reasonsOf = ({
  chosen,
  because,
  rules,
  rejected,
  evidence,
  counters,
  ...rest
}: Explanation): string[] => [
  `    chosen: ${chosen}`,
  ...(because ?? []).map((reason) => `    because: ${printable(reason)}`),
  ...rejected.map(({ candidate, reason }) => `    not ${candidate}: ${printable(reason)}`),
  ...(rules ?? []).map((rule) => `    rule: ${rule}`),
  `    evidence: ${evidence.step}${evidence.value === undefined ? '' : ` = ${printable(evidence.value)}`} (tables ${evidence.table_version})`,
  ...(evidence.unmapped ?? []).map((code) => `    not in the tables: ${printable(code)}`),
  `    policy ${rest.policy_version}, rules ${rest.rules_version}, limits ${rest.limits_version}`,
  `    counted: ${toJson(counters)}`,
];

const describe = ({ occurred_at, event, actor, summary, details, explanation }: Decision): string => {
  const said = Object.entries(details).map(([name, value]) => `    ${name}: ${word(value)}`);
  const why = explanation === null ? [] : reasonsOf(explanation);
  return [`${occurred_at}  ${event}  (${actor.type} ${actor.id})`, `    ${summary}`, ...said, ...why].join(
    '\n',
  );
};

/** Every step of a recovery in order, with what it was decided from. */
export const explain = async (cli: Cli, store: EventStore, id: string): Promise<void> => {
  const explained = await explainRecovery(store, id);
  if (explained === undefined)
    throw new CliError('not_found', `There is no recovery ${id}.`, 'Are the id and DATABASE_URL right?');
  await cli.io.print(cli.io.json ? toJson(explained) : explained.decisions.map(describe).join('\n\n'));
};

export const recoveriesCommand = (cli: Cli): Command => {
  const group = new Command('recoveries')
    .description('look into recoveries')
    .addHelpText('afterAll', environmentSection(databaseVariables));
  group
    .command('explain')
    .argument('<id>', 'the recovery', uuid)
    .description('print every decision with its evidence, in order')
    .action((id: string) => withServices(cli, ({ store }) => explain(cli, store, id)));
  return group;
};
