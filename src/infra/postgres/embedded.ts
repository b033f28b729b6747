/**
 * The Postgres we bring along: real server processes on a data directory of ours, reachable from this
 * machine only, with a password kept in that directory.
 *
 * The server is not our child in the sense that matters: it has a session of its own, so Ctrl-C and a
 * SIGTERM to us leave it serving until our own drain is over and `stop` is called. When we are killed it
 * lives on, and the next start takes it over. Whether a server runs is decided by asking it, never by
 * its pid file alone: that file survives crashes, and pids come back.
 *
 * Several processes may use one directory at once (a service and a `recovery doctor` beside it). Whoever
 * comes first starts the server. Each holds one connection as its sign of presence, which dies with
 * the process however it ends, and the last one to stop stops the server.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from '../../kernel/logger.js';
import { chooseAccount, spawnOptions, type Account } from './embeddedAccount.js';
import { findBinaries, type Binaries } from './embeddedBinaries.js';
import { OWNER, placeDataDir, prepareDataDir } from './embeddedDataDir.js';
import {
  answers,
  connect,
  freePort,
  servesDir,
  readPostmaster,
  removeStalePidFile,
  serverUrl,
  waitUntil,
} from './embeddedProcess.js';
import { keepsAlive, stopServer } from './embeddedStop.js';

export interface EmbeddedOptions {
  readonly dataDir: string;
  /** The first port to try; the next free one is taken. */
  readonly port?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** False for throw-away data only: faster, and a crash of the machine loses it. */
  readonly durable: boolean;
  readonly logger: Logger;
}

export interface EmbeddedPostgres {
  readonly url: string;
  /** Where the data really is: not the wanted place when the server could not reach that. */
  readonly dataDir: string;
  /** Stops the server, unless another process still uses it. Call it after the pools are closed. */
  stop(): Promise<void>;
}

/** What one attempt to have a running server needs to know. */
interface Site {
  readonly dataDir: string;
  readonly password: string;
  readonly bin: Binaries;
  readonly account: Account;
  readonly settings: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

const DEFAULT_PORT = 25_432;
const PRESENCE = 'stealth-recovery:presence';
const START_TIMEOUT_MS = 60_000; // recovery after a crash reads up to max_wal_size

const FAST_AND_LOSSY = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };
const DEFAULTS = { max_connections: '300', timezone: 'UTC', log_checkpoints: 'off' };

/** Waits for the server of a living pid to answer. @returns its port, or undefined when that one ended */
const adopt = async (site: Site): Promise<number | undefined> => {
  let port: number | undefined;
  const decided = await waitUntil(async () => {
    const postmaster = await readPostmaster(site.dataDir);
    port = postmaster?.port;
    if (postmaster === undefined) return true;
    if (port !== undefined && (await answers(site.dataDir, port, site.password))) return true;
    port = undefined;
    if (await servesDir(postmaster.pid, site.dataDir)) return false;
    await removeStalePidFile(site.dataDir, postmaster);
    return true;
  }, START_TIMEOUT_MS);
  if (decided) return port;
  const pid = (await readPostmaster(site.dataDir))?.pid;
  throw new Error(
    `${site.dataDir} is in use by process ${pid}, which does not answer: end it and start again.`,
  );
};

const logTail = async (dataDir: string, from: number): Promise<string> =>
  (await readFile(join(dataDir, 'server.log'))).subarray(from).toString('utf8').trim().slice(-2000);

const launch = async (site: Site, port: number): Promise<{ child: ChildProcess; logFrom: number }> => {
  const log = await open(join(site.dataDir, 'server.log'), 'a', 0o600);
  try {
    const logFrom = (await log.stat()).size;
    if (site.account !== undefined) await log.chown(site.account.uid, site.account.gid);
    const settings = { ...site.settings, listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(site.bin.postgres, ['-D', site.dataDir, '-p', String(port), ...args], {
      ...spawnOptions(site.account),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
    });
    child.on('error', () => undefined); // seen below as a process that never answers
    child.unref();
    return { child, logFrom };
  } finally {
    await log.close();
  }
};

/** One attempt on one port. @returns whether it runs, or why it ended */
const start = async (site: Site, port: number): Promise<{ running: boolean; why: string }> => {
  const { child, logFrom } = await launch(site, port);
  const gone = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  let running = false;
  await waitUntil(async () => {
    running = await answers(site.dataDir, port, site.password);
    return running || gone();
  }, START_TIMEOUT_MS);
  if (!running && !gone()) child.kill('SIGQUIT');
  // A server of another process may have answered: ours ended, and adopting is as good.
  return { running, why: running ? '' : await logTail(site.dataDir, logFrom) };
};

/** @returns the port of the running server, started or found */
const ensureRunning = async (site: Site, wantedPort: number): Promise<number> => {
  let port = wantedPort;
  let why = '';
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const adopted = await adopt(site);
    if (adopted !== undefined) {
      site.logger.info({ dataDir: site.dataDir, port: adopted }, 'embedded Postgres found running');
      return adopted;
    }
    port = await freePort(port);
    const result = await start(site, port);
    if (result.running) {
      site.logger.info({ dataDir: site.dataDir, port }, 'embedded Postgres started');
      return port;
    }
    why = result.why;
    if (/could not bind|could not create any TCP/.test(why)) port += 1;
    else if (!/lock file|shared memory block/.test(why)) break;
    await sleep(100); // the backends of a killed server need a moment to notice
  }
  throw new Error(`The embedded Postgres did not start on ${site.dataDir}:\n${why}`);
};

const ensureDatabase = async (url: string): Promise<void> => {
  const client = await connect(url, 'stealth-recovery:setup');
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [OWNER]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${OWNER}`);
  } catch (error) {
    // Another process created it at the same time (duplicate_database, or unique_violation inside of it).
    if (!['42P04', '23505'].includes((error as pg.DatabaseError).code ?? '')) throw error;
  } finally {
    await client.end();
  }
};

/** @throws Error that says what to do when no server can be brought up */
export const startEmbeddedPostgres = async (options: EmbeddedOptions): Promise<EmbeddedPostgres> => {
  const logger = options.logger.child({ component: 'embedded-postgres' });
  const account = await chooseAccount(options.dataDir);
  const bin = await findBinaries(account, logger);
  const dataDir = await placeDataDir(options.dataDir, account, logger);
  const password = await prepareDataDir(dataDir, bin, account, options.durable);
  const settings = { ...DEFAULTS, ...(options.durable ? {} : FAST_AND_LOSSY), ...options.settings };
  const site = { dataDir, password, bin, account, settings, logger };
  const port = await ensureRunning(site, options.port ?? DEFAULT_PORT);
  const controlUrl = serverUrl(port, password, 'postgres');
  const presence = await connect(controlUrl, PRESENCE);
  keepsAlive(presence, false);
  await ensureDatabase(controlUrl);
  const stop = () =>
    stopServer({ dataDir, controlUrl, presence, presenceName: PRESENCE, bin, account, logger });
  let stopped: Promise<void> | undefined;
  return { url: serverUrl(port, password, OWNER), dataDir, stop: () => (stopped ??= stop()) };
};
