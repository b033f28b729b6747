import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import type { Db } from '../../kernel/db.js';
import type { Logger } from '../../kernel/logger.js';

export interface MigrationStatus {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** Applied by a newer version of the code: this one does not know them. */
  readonly unknown: readonly string[];
}

export interface Migrator {
  /** Applies all pending migrations, or the first `steps` of them. @returns their names */
  up(steps?: number): Promise<string[]>;
  /** Takes back the last `steps` migrations. @returns their names */
  down(steps?: number): Promise<string[]>;
  status(): Promise<MigrationStatus>;
}

/** Any constant does, as long as nothing else in the database locks it. */
const LOCK_KEY = '7305820046127391';
const LOCK_TIMEOUT_MS = 120_000;
const FILE = /^\d{14}_\w+\.js$/;

/** From the package root, so that it is found from src/ and from dist/ alike. */
export const migrationsDirectory = (): string => {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(dir, 'package.json'))) dir = dirname(dir);
  return join(dir, 'migrations');
};

const list = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => FILE.test(name)).sort();

const source = (directory: string): Knex.MigrationSource<string> => ({
  getMigrations: () => list(directory),
  getMigrationName: (name) => name,
  getMigration: (name) => import(pathToFileURL(join(directory, name)).href) as Promise<Knex.Migration>,
});

const withClient = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, application_name: 'stealth-recovery:migrate' });
  client.on('error', () => undefined); // the statement under way fails with it
  await client.connect();
  return work(client).finally(() => client.end());
};

/**
 * One process at a time migrates. The lock is tried again and again rather than waited for inside the
 * database: a waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot.
 * It belongs to the connection, so it goes when the process does.
 */
const lock = async (client: pg.Client, logger: Logger): Promise<void> => {
  const tryLock = async () =>
    (await client.query<{ got: boolean }>(`SELECT pg_try_advisory_lock(${LOCK_KEY}) AS got`)).rows[0]?.got;
  for (let waited = 0; !(await tryLock()); waited += 100) {
    if (waited === 0) logger.info({}, 'waiting for another process to finish migrating');
    if (waited >= LOCK_TIMEOUT_MS) throw new Error('Another process has been migrating for two minutes.');
    await sleep(100);
  }
};

const appliedIn = async (db: Db): Promise<string[]> => {
  const table = await db.query<{ there: boolean }>(
    `SELECT to_regclass('knex_migrations') IS NOT NULL AS there`,
  );
  if (!table.rows[0]?.there) return [];
  const { rows } = await db.query<{ name: string }>('SELECT name FROM knex_migrations ORDER BY id');
  return rows.map(({ name }) => name);
};

/** What is applied there, against what this version of the code knows. Changes nothing, takes no lock. */
export const migrationStatus = async (
  db: Db,
  directory = migrationsDirectory(),
): Promise<MigrationStatus> => {
  const known = await list(directory);
  const recorded = await appliedIn(db);
  return {
    applied: recorded.filter((name) => known.includes(name)),
    pending: known.filter((name) => !recorded.includes(name)),
    unknown: recorded.filter((name) => !known.includes(name)),
  };
};

const refuseNewer = (unknown: readonly string[]): void => {
  if (unknown.length === 0) return;
  throw new Error(
    `The database is newer than this version of the code, which does not know ${unknown.join(', ')}: ` +
      'run the newer version (it also knows how to migrate down).',
  );
};

/** One step, or all. knex's own lock row stays behind when a process is killed; ours guards, so free it. */
const run = async (db: Knex, direction: 'up' | 'down', steps: number): Promise<string[]> => {
  await db.migrate.currentVersion(); // creates knex's two tables
  await db.migrate.forceFreeMigrationsLock();
  const names: string[] = [];
  while (names.length < steps) {
    const [, done] = (await (direction === 'up' ? db.migrate.up() : db.migrate.down())) as [number, string[]];
    if (done[0] === undefined) break;
    names.push(done[0]);
  }
  return names;
};

const openKnex = (url: string, directory: string, logger: Logger): Knex =>
  knexModule.knex({
    client: 'pg',
    connection: { connectionString: url, application_name: 'stealth-recovery:migrate' },
    pool: { min: 0, max: 1 },
    migrations: { migrationSource: source(directory) },
    log: { warn: (message: string) => logger.debug({ message }, 'knex warns') },
  });

/** The `migrations/` of the package, applied to a database. Several processes may call it at once. */
export const createMigrator = (url: string, logger: Logger, directory = migrationsDirectory()): Migrator => {
  const log = logger.child({ component: 'migrate' });
  const go = async (direction: 'up' | 'down', steps: number): Promise<string[]> => {
    const db = openKnex(url, directory, log);
    const names = await run(db, direction, steps).finally(() => db.destroy());
    for (const migration of names) log.info({ migration, direction }, 'migrated');
    return names;
  };
  const locked = (work: (status: MigrationStatus) => Promise<string[]>) =>
    withClient(url, async (client) => {
      await lock(client, log);
      return work(await migrationStatus(client, directory));
    });
  return {
    up: (steps = Infinity) =>
      locked(async ({ pending, unknown }) => {
        if (pending.length > 0) refuseNewer(unknown);
        // During a rolling deployment the old code starts on the new schema, which is only ever extended.
        else if (unknown.length > 0)
          log.warn({ unknown }, 'the database is newer than this version of the code');
        return pending.length === 0 ? [] : go('up', steps);
      }),
    down: (steps = 1) =>
      locked(async ({ unknown }) => {
        refuseNewer(unknown);
        return go('down', steps);
      }),
    status: () => withClient(url, (client) => migrationStatus(client, directory)),
  };
};

/** Brings the database up to this version of the code. @returns the names of the migrations applied */
export const migrate = (url: string, logger: Logger): Promise<string[]> => createMigrator(url, logger).up();
