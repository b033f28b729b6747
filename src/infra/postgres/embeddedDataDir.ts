import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../../kernel/logger.js';
import { canEnter, ownUid, spawnOptions, type Account } from './embeddedAccount.js';
import { SYSTEM_DIR, type Binaries } from './embeddedBinaries.js';

const run = promisify(execFile);
const PASSWORD_FILE = 'stealth-recovery.password';

/** The superuser, and the database, of an embedded server. */
export const OWNER = 'recovery';

const errorCode = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    },
  );

/**
 * The directory the data really lies in. When root's wish lies below a directory that the server's account
 * may not enter (a 0700 parent), the data goes to the system's place for it and a symbolic link is left where
 * it was wanted: the next start, and whoever looks for the data, finds it by that link.
 */
export const placeDataDir = async (wanted: string, account: Account, logger: Logger): Promise<string> => {
  const link = resolve(wanted);
  await mkdir(dirname(link), { recursive: true });
  if (!(await exists(link)) && !(await canEnter(dirname(link), account))) {
    await mkdir(SYSTEM_DIR, { recursive: true, mode: 0o755 });
    const target = await mkdtemp(join(SYSTEM_DIR, `${basename(link)}-`));
    if (account !== undefined) await chown(target, account.uid, account.gid);
    await symlink(target, link).catch(async (error: unknown) => {
      await rm(target, { recursive: true });
      if (errorCode(error) !== 'EEXIST') throw error; // else another process was faster: use its place
    });
    logger.warn(
      { wanted: link, dataDir: await realpath(link) },
      'the data directory lies below one that the server may not enter; the data is kept elsewhere, behind a link',
    );
  }
  const dataDir = (await exists(link))
    ? await realpath(link)
    : join(await realpath(dirname(link)), basename(link));
  if ((await exists(dataDir)) && !(await canEnter(dataDir, account)))
    throw new Error(
      `The account Postgres runs under (uid ${account?.uid}) may not enter ${dataDir}: ` +
        'open the directories above it (chmod o+x), or set DATA_DIR or DATABASE_URL.',
    );
  return dataDir;
};

const versionOf = async (dataDir: string): Promise<number | undefined> =>
  readFile(join(dataDir, 'PG_VERSION'), 'utf8').then(Number, (error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new Error(
      `${dataDir} cannot be read by this user (uid ${ownUid()}): run as its owner, or set DATA_DIR or DATABASE_URL.`,
      { cause: error },
    );
  });

/** Runs initdb in a draft directory beside the real one, which it becomes only when it is whole. */
const create = async (dataDir: string, bin: Binaries, account: Account, durable: boolean): Promise<void> => {
  const draft = await mkdtemp(join(dirname(dataDir), `.${basename(dataDir)}.init-`));
  const cluster = join(draft, 'cluster');
  const password = join(draft, PASSWORD_FILE);
  try {
    await mkdir(cluster, { mode: 0o700 });
    await writeFile(password, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
    if (account !== undefined)
      for (const path of [draft, cluster, password]) await chown(path, account.uid, account.gid);
    const how = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const who = [`--username=${OWNER}`, `--pwfile=${password}`, '--auth=scram-sha-256'];
    // Checksums tell a damaged page from a good one; a throw-away cluster skips them and the final sync.
    const safety = durable ? ['--data-checksums'] : ['--no-data-checksums', '--no-sync'];
    await run(bin.initdb, [`--pgdata=${cluster}`, ...how, ...who, ...safety], spawnOptions(account));
    await rename(password, join(cluster, PASSWORD_FILE));
    await rename(cluster, dataDir);
  } catch (error) {
    // Another process may have been faster: then the directory is there, and it is theirs.
    if ((await versionOf(dataDir)) === undefined) throw explain(error, dataDir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
};

const explain = (error: unknown, dataDir: string): Error => {
  if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST')
    return new Error(`${dataDir} holds files that are no Postgres data: move them away, or set DATA_DIR.`);
  const { stderr } = error as { stderr?: string };
  return new Error(`initdb failed for ${dataDir}: ${stderr?.trim() ?? String(error)}`, { cause: error });
};

/** A killed initdb leaves its draft behind; one older than an hour is nobody's any more. */
const removeOldDrafts = async (dataDir: string): Promise<void> => {
  const prefix = `.${basename(dataDir)}.init-`;
  for (const name of await readdir(dirname(dataDir))) {
    const draft = join(dirname(dataDir), name);
    if (!name.startsWith(prefix)) continue;
    const found = await lstat(draft).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > 3_600_000)
      await rm(draft, { recursive: true, force: true });
  }
};

/** Root may have been handed a copy of the data that belongs to root: the server must own it. */
const handOver = async (dataDir: string, account: Account): Promise<void> => {
  if (account === undefined || (await lstat(dataDir)).uid === account.uid) return;
  await run('chown', ['-R', `${account.uid}:${account.gid}`, dataDir]);
};

/** Makes sure that a whole cluster of the right version lies there. @returns its password */
export const prepareDataDir = async (
  dataDir: string,
  bin: Binaries,
  account: Account,
  durable: boolean,
): Promise<string> => {
  if ((await versionOf(dataDir)) === undefined) {
    await removeOldDrafts(dataDir);
    await create(dataDir, bin, account, durable);
  }
  const version = await versionOf(dataDir);
  if (version !== bin.majorVersion)
    throw new Error(
      `${dataDir} was made by Postgres ${version}, the one brought along is ${bin.majorVersion}: ` +
        'dump and restore it, or set DATABASE_URL to a server of that version.',
    );
  await handOver(dataDir, account);
  return (await readFile(join(dataDir, PASSWORD_FILE), 'utf8')).trim();
};
