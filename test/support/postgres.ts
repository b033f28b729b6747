/**
 * Databases for tests. The first test that asks starts one throw-away server for the whole mocha run (or uses
 * TEST_DATABASE_URL), migrates one template there, and every database is a clone of it (about 20 ms).
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/infra/postgres/embedded.js';
import { readPostmaster } from '../../src/infra/postgres/embeddedProcess.js';
import { migrate } from '../../src/infra/postgres/migrate.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger } from '../../src/kernel/logger.js';
import { atTheEnd } from './atTheEnd.js';

export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Closes the pool and drops the database, also from under other connections. */
  drop(): Promise<void>;
}

const PREFIX = 'recovery-test-pg-';
/** Names made here are unique on a shared server, too. */
const uniqueName = (what: string): string => `test_${what}_${process.pid}_${randomBytes(4).toString('hex')}`;

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const removeCluster = async (dir: string): Promise<void> => {
  const real = await realpath(join(dir, 'data')).catch(() => undefined);
  if (real !== undefined) await rm(real, { recursive: true, force: true });
  await rm(dir, { recursive: true, force: true });
};

/** A run that was killed leaves its server behind; the directory's name tells whose it was. */
const sweep = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!(pid > 0) || alive(pid)) continue;
    const dir = join(tmpdir(), name);
    const mine = (await lstat(dir).catch(() => undefined))?.uid === process.getuid?.();
    if (!mine) continue;
    const data = await realpath(join(dir, 'data')).catch(() => undefined);
    const server = data === undefined ? undefined : await readPostmaster(data);
    if (server !== undefined && alive(server.pid)) process.kill(server.pid, 'SIGQUIT');
    await removeCluster(dir).catch(() => undefined);
  }
};

/** A throw-away server of its own, for tests that stop, kill or reconfigure it. `stop` removes it. */
export const startTestCluster = async (
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedPostgres> => {
  const dir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  await chmod(dir, 0o755); // when root runs the tests, the server's account must get in
  const cluster = await startEmbeddedPostgres({
    dataDir: join(dir, 'data'),
    port: 20_000 + Math.floor(Math.random() * 12_000),
    settings: { shared_buffers: '64MB', ...settings },
    durable: false,
    logger: silentLogger,
  });
  return { ...cluster, stop: () => cluster.stop().then(() => removeCluster(dir)) };
};

let server: Promise<string> | undefined;
let template: Promise<string> | undefined;

/** The URL of the server that this mocha run shares; started on first use, stopped at the end of the run. */
export const testServerUrl = (): Promise<string> =>
  (server ??= (async () => {
    const given = process.env['TEST_DATABASE_URL'];
    if (given !== undefined && given !== '') return given;
    await sweep();
    const cluster = await startTestCluster();
    atTheEnd(() => cluster.stop());
    return cluster.url;
  })());

const urlOf = async (database: string): Promise<string> => {
  const url = new URL(await testServerUrl());
  url.pathname = `/${database}`;
  return url.href;
};

/** Runs one statement on the shared server, outside of any test's database. */
const onServer = async (sql: string): Promise<void> => {
  const client = new pg.Client({ connectionString: await testServerUrl() });
  await client.connect();
  await client.query(sql).finally(() => client.end());
};

const dropDatabase = (name: string): Promise<void> =>
  onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);

const migratedTemplate = (): Promise<string> =>
  (template ??= (async () => {
    const name = uniqueName('template');
    await onServer(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    atTheEnd(() => dropDatabase(name));
    await migrate(await urlOf(name), silentLogger);
    return name;
  })());

export interface TestDatabaseOptions {
  /** False: an empty database. */
  readonly migrated?: boolean;
  readonly poolSize?: number;
}

/** A fresh database for one test file. Call `drop` in `after`. */
export const createTestDatabase = async ({
  migrated = true,
  poolSize = 20,
}: TestDatabaseOptions = {}): Promise<TestDatabase> => {
  const name = uniqueName('db');
  await onServer(
    migrated
      ? `CREATE DATABASE ${name} TEMPLATE ${await migratedTemplate()} STRATEGY file_copy`
      : `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`,
  );
  const url = await urlOf(name);
  const pool = createPool({ url, max: poolSize, applicationName: 'test', logger: silentLogger });
  // A clone is an installation of its own.
  if (migrated) await pool.query('UPDATE installation SET id = gen_random_uuid()');
  const drop = async () => {
    if (!pool.ended) await pool.end();
    await dropDatabase(name);
  };
  return { url, pool, drop };
};
