import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of a broker's directory; the pid of the run that made it follows. */
export const PREFIX = 'recovery-test-kafka-';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Is that process still the broker that worked in this directory? Its number may have been given to another. */
const worksIn = async (pid: number, dir: string): Promise<boolean> => {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes(dir);
};

/** Ends the brokers that runs which were killed left behind. */
export const sweepBrokers = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!(owner > 0) || alive(owner)) continue;
    const dir = join(tmpdir(), name);
    const mine = (await lstat(dir).catch(() => undefined))?.uid === process.getuid?.();
    if (!mine) continue;
    const pid = Number(await readFile(join(dir, 'pid'), 'utf8').catch(() => '0'));
    if (pid > 0 && (await worksIn(pid, dir))) process.kill(pid, 'SIGKILL');
    await rm(dir, { recursive: true, force: true }).catch(() => undefined);
  }
};
