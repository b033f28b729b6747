import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded.js';
import { migrate } from '../../src/infra/postgres/migrate.js';
import { silentLogger } from '../../src/kernel/logger.js';

/** The Postgres that everything is measured on: DATABASE_URL's server, or a durable one of our own. */
export interface Cluster {
  readonly version: string;
  /** The settings that decide how much a commit costs. */
  readonly settings: string;
  /** A database of the bench's own, migrated unless it is for somebody else's tables. */
  database(name: string, options?: { readonly empty?: boolean }): Promise<string>;
  /** Drops the bench's databases, and its server. */
  stop(): Promise<void>;
}

const onServer = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const describe = async (client: pg.Client): Promise<Pick<Cluster, 'version' | 'settings'>> => {
  const names = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'wal_sync_method'];
  const settings: string[] = [];
  for (const name of names) {
    const { rows } = await client.query<Record<string, string>>(`SHOW ${name}`);
    settings.push(`${name} ${rows[0]?.[name] ?? ''}`);
  }
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  return { version: rows[0]?.server_version ?? '', settings: settings.join(', ') };
};

const ownServer = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'recovery-bench-'));
  await chmod(dir, 0o755); // when root runs the bench, the server's account must get in
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const dataDir = join(dir, 'data');
    const server = await startEmbeddedPostgres({ dataDir, durable: true, logger: silentLogger });
    const stop = () => server.stop().finally(remove);
    return { url: server.url, stop };
  } catch (error) {
    await remove();
    throw error;
  }
};

/** @param given DATABASE_URL: a role that may create databases */
export const openCluster = async (given: string | undefined): Promise<Cluster> => {
  const server = given ? { url: given, stop: () => Promise.resolve() } : await ownServer();
  const about = await onServer(server.url, describe);
  const names: string[] = [];
  return {
    ...about,
    database: async (name, { empty = false } = {}) => {
      const full = `recovery_bench_${name}_${process.pid}`;
      await onServer(server.url, (client) => client.query(`CREATE DATABASE ${full} TEMPLATE template0`));
      names.push(full);
      const url = new URL(server.url);
      url.pathname = `/${full}`;
      if (!empty) await migrate(url.href, silentLogger);
      return url.href;
    },
    stop: async () => {
      await onServer(server.url, async (client) => {
        for (const name of names) await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }).finally(server.stop);
    },
  };
};
