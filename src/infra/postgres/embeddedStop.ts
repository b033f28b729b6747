import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type pg from 'pg';
import type { Logger } from '../../kernel/logger.js';
import { spawnOptions, type Account } from './embeddedAccount.js';
import type { Binaries } from './embeddedBinaries.js';
import { connect, servesDir, readPostmaster, waitUntil } from './embeddedProcess.js';

const run = promisify(execFile);
const FAST_TIMEOUT_MS = 15_000;

export interface Running {
  readonly dataDir: string;
  readonly controlUrl: string;
  readonly presence: pg.Client;
  readonly presenceName: string;
  readonly bin: Binaries;
  readonly account: Account;
  readonly logger: Logger;
}

/** An idle connection must not keep a finished process alive; while it is being closed, it has to. */
export const keepsAlive = (client: pg.Client, yes: boolean): void => {
  const handle = client as unknown as { ref(): void; unref(): void }; // not in the types of pg
  if (yes) handle.ref();
  else handle.unref();
};

/** A backend takes a moment to go after its client: a presence that stays that long is another process. */
const usedByOthers = async ({ controlUrl, presenceName }: Running): Promise<boolean> => {
  const client = await connect(controlUrl, 'stealth-recovery:stop').catch(() => undefined);
  if (client === undefined) return false;
  try {
    return !(await waitUntil(async () => {
      const others = await client.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [
        presenceName,
      ]);
      return others.rowCount === 0;
    }, 500));
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

const signal = async (running: Running, pid: number, how: 'fast' | 'immediate'): Promise<void> => {
  if (process.platform === 'win32') {
    const args = ['stop', '-D', running.dataDir, '-m', how, '-w', '-t', '15'];
    await run(running.bin.pgCtl, args, spawnOptions(running.account)).catch(() => undefined);
    return;
  }
  try {
    process.kill(pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch {
    // gone already
  }
};

/** Ends our use of the server, and the server when nobody else uses it. Nothing to do when it is gone. */
export const stopServer = async (running: Running): Promise<void> => {
  const { dataDir, logger } = running;
  keepsAlive(running.presence, true);
  await running.presence.end().catch(() => undefined);
  if (await usedByOthers(running)) {
    logger.info({ dataDir }, 'embedded Postgres left running: another process uses it');
    return;
  }
  const postmaster = await readPostmaster(dataDir);
  if (postmaster === undefined || !(await servesDir(postmaster.pid, dataDir))) return;
  const ended = async () => !(await servesDir(postmaster.pid, dataDir));
  await signal(running, postmaster.pid, 'fast');
  if (!(await waitUntil(ended, FAST_TIMEOUT_MS))) {
    logger.warn({ dataDir }, 'embedded Postgres does not stop; ending it at once');
    await signal(running, postmaster.pid, 'immediate');
    await waitUntil(ended, 5000);
  }
  logger.info({ dataDir }, 'embedded Postgres stopped');
};
