import { execFile } from 'node:child_process';
import { readFile, readlink, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { OWNER } from './embeddedDataDir.js';

const run = promisify(execFile);

/** What postmaster.pid says: who runs, or ran, on the data directory, and on which port. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number | undefined;
}

const pidFile = (dataDir: string): string => join(dataDir, 'postmaster.pid');

export const readPostmaster = async (dataDir: string): Promise<Postmaster | undefined> => {
  const lines = (await readFile(pidFile(dataDir), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return pid > 0 ? { pid, port: port > 0 ? port : undefined } : undefined;
};

/** A zombie is dead, and only not reaped yet: the rule in containers without an init process. */
const servesOnLinux = async (pid: number, dataDir: string): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1).trim())) return false;
  // A server works in its data directory. Not readable: another user's process, so none of ours.
  return (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === dataDir;
};

/**
 * Whether that process lives and is a server on that directory. A pid alone proves nothing: pids are
 * reused, in containers quickly.
 */
export const servesDir = async (pid: number, dataDir: string): Promise<boolean> => {
  if (process.platform === 'linux') return servesOnLinux(pid, dataDir);
  if (process.platform === 'win32')
    return (await run('tasklist', ['/FI', `PID eq ${pid}`, '/NH'])).stdout.includes('postgres');
  const { stdout } = await run('ps', ['-o', 'stat=,command=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return /^[^Z]/.test(stdout.trim()) && stdout.includes(`postgres -D ${dataDir}`);
};

/**
 * Takes away a pid file whose process is not the server (any more), which would keep a new server from starting.
 * It is moved before it is judged, so that the file of a server started meanwhile is put back, not lost.
 */
export const removeStalePidFile = async (dataDir: string, stale: Postmaster): Promise<void> => {
  const aside = `${pidFile(dataDir)}.stale.${process.pid}`;
  await rename(pidFile(dataDir), aside).catch(() => undefined);
  const moved = Number((await readFile(aside, 'utf8').catch(() => '')).split('\n')[0]);
  if (moved > 0 && moved !== stale.pid) await rename(aside, pidFile(dataDir));
  else await rm(aside, { force: true });
};

export const serverUrl = (port: number, password: string, database: string): string =>
  `postgres://${OWNER}:${password}@127.0.0.1:${port}/${database}`;

/** A connection of its own, whose loss is no reason to end the process. */
export const connect = async (url: string, applicationName: string): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** Asks the server itself, the only witness that counts, whether it answers and serves this directory. */
export const answers = async (dataDir: string, port: number, password: string): Promise<boolean> => {
  const client = await connect(serverUrl(port, password, 'postgres'), 'stealth-recovery:probe').catch(
    () => undefined,
  );
  if (client === undefined) return false;
  try {
    const { rows } = await client.query<{ dir: string }>(`SELECT current_setting('data_directory') AS dir`);
    return rows[0]?.dir.replaceAll('\\', '/') === dataDir.replaceAll('\\', '/');
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * The first free port from the wanted one on. Kept below 32768, where the kernel's own choice for outgoing
 * connections begins, so that no connection is found sitting on it.
 */
export const freePort = async (wanted: number): Promise<number> => {
  for (let port = wanted; port < wanted + 200 && port < 65_536; port += 1)
    if (await isFree(port)) return port;
  throw new Error(
    `No free port from ${wanted} to ${wanted + 199} for the embedded Postgres: set DATABASE_URL.`,
  );
};

/** @returns false when the time is over first */
export const waitUntil = async (condition: () => Promise<boolean>, ms: number): Promise<boolean> => {
  const end = process.hrtime.bigint() + BigInt(ms) * 1_000_000n;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 100)) {
    if (await condition()) return true;
    if (process.hrtime.bigint() > end) return false;
    await sleep(pause);
  }
};
