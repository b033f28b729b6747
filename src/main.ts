import type { CliServices, OpenServices, ServeRole } from './cli/services.js';
import { Closers } from './composition/closers.js';
import { openDatabase } from './composition/database.js';
import { playDemo } from './composition/demo.js';
import { serveHealth } from './composition/health.js';
import { endAtUncaught } from './composition/lastResort.js';
import { logAdmin, logChecks } from './composition/logPair.js';
import { thoroughKafkaChecks } from './composition/kafkaChecks.js';
import { settlePorts } from './composition/port.js';
import { preflight } from './composition/preflight.js';
import { parkedMessages, rolesOf, runnersOf } from './composition/roles.js';
import { runRoles } from './composition/runRoles.js';
import { createEffects, createRuntime, type Runtime } from './composition/runtime.js';
import { VERSION } from './composition/version.js';
import type { Config } from './config.js';
import { createLogger } from './infra/logging/logger.js';
import { createMigrator, type Migrator } from './infra/postgres/migrate.js';
import { databaseChecks, refuseUnsafe } from './infra/postgres/databaseChecks.js';
import { startErrorReporting } from './infra/sentry/errorReporting.js';
import { ManualClock, systemClock } from './infra/systemClock.js';
import type { Clock } from './kernel/clock.js';
import type { Logger } from './kernel/logger.js';
import { type Faults, noFaults } from './kernel/faults.js';

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** Refuses a server that loses data before it changes anything there, then migrates and makes the read models' tables. */
const prepare = async (runtime: Runtime, migrations: Migrator): Promise<void> => {
  const { config, logger, database, engine } = runtime;
  const checks = (await databaseChecks(database.pool)).filter(
    ({ name }) => name !== 'migrations' || !config.migrateOnStart,
  );
  refuseUnsafe(checks, config.environment);
  for (const { name, detail, fix } of checks.filter(({ ok }) => !ok))
    logger.warn({ check: name, found: detail, fix }, 'database');
  if (config.migrateOnStart) await migrations.up();
  await engine.ensure();
  for (const { name, ok, detail, fix } of await logChecks(runtime.logPair)) {
    // The workers wait for a log that is not there; they must not go on with another one.
    if (!ok && name === 'one log') throw new Error(`The log cannot be used: ${detail}. ${fix}`);
    if (!ok) logger.warn({ check: name, found: detail, fix }, 'event store');
  }
};

type Purpose = Parameters<OpenServices>[1];

/** Only `serve` logs what goes well: the others answer on stdout, and a log would drown it. */
const loggerFor = (config: Config, purpose: Purpose) => {
  if (purpose === 'serve') return createLogger(config);
  const logLevel = config.logLevel === 'info' ? 'warn' : config.logLevel;
  return createLogger({ ...config, logLevel }, process.stderr);
};

/** What `serve` is to run (all roles without any given), and what tests put in the place of the real thing. */
export interface Overrides {
  readonly roles?: readonly ServeRole[];
  /** The process is ours: an error that nobody caught is told here and ends it. */
  readonly ownsProcess?: boolean;
  readonly faults?: Faults;
  readonly clock?: Clock;
}

/** Refuses what must not start, before anything is opened; then sees that the ports are free. */
const ready = async (config: Config, purpose: Purpose, roles: readonly ServeRole[], logger: Logger) => {
  if (purpose === 'operate') return config;
  if (purpose === 'serve') preflight(config, roles, logger);
  return settlePorts(config, roles);
};

/** The composition root: puts the adapters and the roles together. */
export const compose = async (
  wanted: Config,
  purpose: Purpose,
  { faults = noFaults, roles = [], ownsProcess = false, ...given }: Overrides = {},
): Promise<CliServices> => {
  const logger = loggerFor(wanted, purpose);
  const config = await ready(wanted, purpose, roles, logger);
  const closers = new Closers();
  const clock = given.clock ?? (purpose === 'demo' ? new ManualClock() : systemClock);
  try {
    const database = await openDatabase(config, logger, closers);
    const reporting = await startErrorReporting({ ...config, release: VERSION });
    closers.push('error reporting', () => reporting?.close());
    if (ownsProcess) endAtUncaught(logger, reporting);
    const claims = purpose === 'serve';
    const runtime = createRuntime({ config, logger, clock, faults, closers, database, reporting, claims });
    const migrations = createMigrator(database.url, logger);
    const effects = once(() => createEffects(runtime));
    const prepared = once(() => prepare(runtime, migrations));
    const run = async (roles: readonly ServeRole[], signal: AbortSignal): Promise<void> => {
      runtime.states.begin(roles);
      await prepared();
      await runRoles(runnersOf(runtime, effects, roles), { ...runtime, signal });
    };
    return {
      db: database.pool,
      store: runtime.store,
      migrations,
      projections: runtime.engine,
      parked: parkedMessages(runtime),
      log: logAdmin(runtime.logPair),
      databaseChecks: async () => {
        const checks = await databaseChecks(database.pool);
        // Without its tables the database cannot tell which log it belongs to.
        const tables = checks.some(
          ({ name, ok, severity }) => name === 'migrations' && (ok || severity !== 'error'),
        );
        return tables ? [...checks, ...(await logChecks(runtime.logPair))] : checks;
      },
      busChecks: () => thoroughKafkaChecks(config, database.pool),
      serve: async ({ roles: wanted, signal }) => {
        const chosen = rolesOf(config, wanted);
        await serveHealth(runtime, chosen);
        await run(chosen, signal);
      },
      demo: async (options) => {
        if (!(clock instanceof ManualClock)) throw new Error('The demo needs a clock of its own.');
        await prepared();
        const serve = (until: AbortSignal) => run(rolesOf(config, []), until);
        await playDemo({ config, pool: database.pool, clock, serve }, options);
      },
      close: () => closers.close(logger),
    };
  } catch (error) {
    await closers.close(logger);
    throw error;
  }
};

export const openServices: OpenServices = (config, purpose, roles = []) =>
  compose(config, purpose, { roles, ownsProcess: true });
