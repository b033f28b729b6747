import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { knex, type Knex } from 'knex';
import pg from 'pg';
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

/**
 * One process at a time migrates. The lock is tried again and again rather than waited for inside the
 * database: a waiting statement holds a snapshot, and CREATE INDEX CONCURRENTLY waits for every snapshot.
 * It belongs to the connection, so it goes when the process does.
 */
const withLock = async <T>(url: string, logger: Logger, work: () => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, application_name: 'stealth-recovery:migrate' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const tryLock = async () =>
      (await client.query<{ got: boolean }>(`SELECT pg_try_advisory_lock(${LOCK_KEY}) AS got`)).rows[0]?.got;
    for (let waited = 0; !(await tryLock()); waited += 100) {
      if (waited === 0) logger.info({}, 'waiting for another process to finish migrating');
      if (waited >= LOCK_TIMEOUT_MS) throw new Error('Another process has been migrating for two minutes.');
      await sleep(100);
    }
    return await work();
  } finally {
    await client.end();
  }
};

const appliedIn = async (db: Knex): Promise<string[]> =>
  (await db.schema.hasTable('knex_migrations'))
    ? await db<{ id: number; name: string }>('knex_migrations').orderBy('id').pluck('name')
    : [];

const compare = async (db: Knex, directory: string): Promise<MigrationStatus> => {
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

/** The `migrations/` of the package, applied to a database. Several processes may call it at once. */
export const createMigrator = (url: string, logger: Logger, directory = migrationsDirectory()): Migrator => {
  const log = logger.child({ component: 'migrate' });
  const withKnex = async <T>(work: (db: Knex) => Promise<T>): Promise<T> => {
    const db = knex({
      client: 'pg',
      connection: { connectionString: url, application_name: 'stealth-recovery:migrate' },
      pool: { min: 0, max: 1 },
      migrations: { migrationSource: source(directory) },
      log: { warn: (message: string) => log.debug({ message }, 'knex warns') },
    });
    return work(db).finally(() => db.destroy());
  };
  const locked = <T>(work: (db: Knex) => Promise<T>) => withLock(url, log, () => withKnex(work));
  return {
    up: (steps = Infinity) =>
      locked(async (db) => {
        const { pending, unknown } = await compare(db, directory);
        // During a rolling deployment the old code starts on the new schema, which is only ever extended.
        if (unknown.length > 0 && pending.length === 0)
          log.warn({ unknown }, 'the database is newer than this version of the code; nothing to migrate');
        else refuseNewer(unknown);
        const names = pending.length === 0 ? [] : await run(db, 'up', steps);
        for (const name of names) log.info({ migration: name }, 'migrated up');
        return names;
      }),
    down: (steps = 1) =>
      locked(async (db) => {
        refuseNewer((await compare(db, directory)).unknown);
        const names = await run(db, 'down', steps);
        for (const name of names) log.info({ migration: name }, 'migrated down');
        return names;
      }),
    status: () => withKnex((db) => compare(db, directory)),
  };
};

/** Brings the database up to this version of the code. @returns the names of the migrations applied */
export const migrate = (url: string, logger: Logger): Promise<string[]> => createMigrator(url, logger).up();
