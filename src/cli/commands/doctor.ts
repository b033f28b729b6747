import { Command } from 'commander';
import { type Config, ConfigError } from '../../config.js';
import type { Cli } from '../context.js';
import { startChecks } from '../../infra/startChecks.js';
import { mailCheck } from '../doctor/mail.js';
import { parkedCheck } from '../doctor/parked.js';
import { projectionChecks } from '../doctor/projections.js';
import { allVariables, environmentSection } from '../environment.js';
import { CliError, failureOf } from '../failure.js';
import type { Io } from '../io.js';
import { printList, toJson } from '../output.js';
import type { Check, CliServices } from '../services.js';

const configurationOk: Check = {
  name: 'configuration',
  ok: true,
  severity: 'error',
  detail: 'every variable can be read',
};

const configurationChecks = ({ problems }: ConfigError): Check[] =>
  problems.map((problem) => ({
    name: 'configuration',
    ok: false,
    severity: 'error',
    detail: problem,
    fix: 'Correct it in the environment; .env.example explains every variable.',
  }));

const broken = (name: string, error: unknown): Check => {
  const { message, problems, fix } = failureOf(error);
  return {
    name,
    ok: false,
    severity: 'error',
    detail: problems?.join('; ') ?? message,
    fix: fix ?? 'See the message; then run this again.',
  };
};

/** A check that cannot be made is a finding, not the end of the others. */
const collect = async (name: string, checks: () => Promise<readonly Check[]>): Promise<readonly Check[]> => {
  try {
    return await checks();
  } catch (error) {
    return [broken(name, error)];
  }
};

const inside = async (services: CliServices): Promise<Check[]> => {
  const database = await collect('database', () => services.databaseChecks());
  // Without an answer the rest would only repeat it.
  if (database.some(({ ok, name }) => !ok && name === 'database')) return [...database];
  return [
    ...database,
    ...(await collect('projections', () => projectionChecks(services.projections))),
    ...(await collect('parked messages', async () => [await parkedCheck(services.parked)])),
  ];
};

/** What `serve` looks at before it opens anything, and whether mails can really be handed over. */
const beforeStart = async (config: Config): Promise<readonly Check[]> => {
  const checks = startChecks(config).map(async (check) =>
    check.name === 'mail' && check.ok ? collect('mail', async () => [await mailCheck(config)]) : [check],
  );
  return (await Promise.all(checks)).flat();
};

/** Everything doctor can find out, in the order in which it should be mended. */
export const diagnose = async (cli: Cli): Promise<readonly Check[]> => {
  try {
    const config = cli.readConfig();
    const start = await beforeStart(config);
    const services = await cli.openServices(config, 'operate').catch((error: unknown) => {
      if (error instanceof ConfigError) throw error;
      return broken('database', error);
    });
    if ('ok' in services) return [configurationOk, ...start, services];
    try {
      const bus = collect('Kafka', () => services.busChecks());
      return [configurationOk, ...start, ...(await inside(services)), ...(await bus)];
    } finally {
      await services.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) return configurationChecks(error);
    throw error;
  }
};

const verdict = ({ ok, severity }: Check): string => (ok ? 'ok' : severity.toUpperCase());

const print = async (io: Io, checks: readonly Check[], healthy: boolean): Promise<void> => {
  if (io.json) return io.print(toJson({ ok: healthy, checks }));
  const rows = checks.map((check) => ({ check: check.name, result: verdict(check), detail: check.detail }));
  await printList(io, ['check', 'result', 'detail'], rows);
  const fixes = checks.filter(({ ok, fix }) => !ok && fix);
  if (fixes.length > 0) {
    await io.print(`\nWhat to do:\n${fixes.map(({ name, fix }) => `  - ${name}: ${fix}`).join('\n')}`);
  }
};

export const doctor = async (cli: Cli): Promise<void> => {
  const checks = await diagnose(cli);
  const errors = checks.filter(({ ok, severity }) => !ok && severity === 'error');
  await print(cli.io, checks, errors.length === 0);
  if (errors.length > 0)
    throw new CliError('unhealthy', `${errors.length} of ${checks.length} checks failed.`);
};

export const doctorCommand = (cli: Cli): Command =>
  new Command('doctor')
    .description(
      'check configuration, database, migrations, clock, mail, Kafka, read models and parked messages, and say what to do',
    )
    .addHelpText('after', environmentSection(allVariables))
    .action(() => doctor(cli));
