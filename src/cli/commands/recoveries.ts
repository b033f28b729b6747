import { Command } from 'commander';
import type { RecordedEvent } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { type Explanation, recoveryStream } from '../../events/recovery.js';
import { upcast } from '../../events/registry.js';
import { type Cli, withServices } from '../context.js';
import { databaseVariables, environmentSection } from '../environment.js';
import { CliError } from '../failure.js';
import { uuid } from '../options.js';
import { toJson } from '../output.js';

type Data = Readonly<Record<string, unknown>> & { readonly explanation?: Explanation };

interface Decision {
  readonly event_id: string;
  readonly revision: bigint;
  readonly at: string;
  readonly recorded_at: string;
  readonly type: string;
  readonly actor: RecordedEvent['metadata']['actor'];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly explanation?: Explanation;
}

const toDecision = (recorded: RecordedEvent): Decision => {
  const event = upcast(recorded);
  const { explanation, cohort: _cohort, ...facts } = event.data as Data;
  return {
    event_id: event.id,
    revision: event.revision,
    at: event.metadata.occurred_at,
    recorded_at: event.recorded_at,
    type: event.type,
    actor: event.metadata.actor,
    facts,
    ...(explanation !== undefined && { explanation }),
  };
};

const word = (value: unknown): string => (typeof value === 'string' ? value : toJson(value));

const because = ({ chosen, rejected, evidence, counters, ...versions }: Explanation): string[] => [
  `    chosen: ${chosen}`,
  ...rejected.map(({ candidate, reason }) => `    not ${candidate}: ${reason}`),
  `    evidence: ${evidence.step}${evidence.value === undefined ? '' : ` = ${evidence.value}`} (tables ${evidence.table_version})`,
  `    policy ${versions.policy_version}, rules ${versions.rules_version}, limits ${versions.limits_version}`,
  `    counted: ${toJson(counters)}`,
];

const describe = ({ at, type, actor, facts, explanation }: Decision): string => {
  const said = Object.entries(facts).map(([name, value]) => `    ${name}: ${word(value)}`);
  const why = explanation === undefined ? [] : because(explanation);
  return [`${at}  ${type}  (${actor.type} ${actor.id})`, ...said, ...why].join('\n');
};

/** Every step of a recovery in order, with what it was decided from; the cohort, which repeats the debt, is left out. */
export const explain = async (cli: Cli, store: EventStore, id: string): Promise<void> => {
  const decisions: Decision[] = [];
  for await (const page of store.readStream(recoveryStream(id))) decisions.push(...page.map(toDecision));
  if (decisions.length === 0) {
    throw new CliError('not_found', `There is no recovery ${id}.`, 'Are the id and DATABASE_URL right?');
  }
  await cli.io.print(
    cli.io.json ? toJson({ recovery_id: id, decisions }) : decisions.map(describe).join('\n\n'),
  );
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
