import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The account the server runs under; undefined: our own. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

/** Who runs this process; undefined on Windows, which has no such numbers. */
export const ownUid = (): number | undefined => process.getuid?.();

/**
 * Postgres refuses to run as root. Root therefore starts it as the owner of the data, or as an account
 * every system has; none is created, so the host stays as it was.
 */
export const chooseAccount = async (dataDir: string): Promise<Account> => {
  if (ownUid() !== 0) return undefined;
  const owner = await stat(dataDir).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = accounts.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error(
    'Postgres refuses to run as root and neither "postgres" nor "nobody" exists here: ' +
      'start as another user, or set DATABASE_URL.',
  );
};

/**
 * What a server process is started with: its account, and an environment free of ours, because LANG, LC_*
 * and PG* variables would change what initdb and the server do. (Windows programs need theirs to load.)
 */
export const spawnOptions = (account: Account) =>
  process.platform === 'win32'
    ? {}
    : { ...account, cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };

/** Whether the account may enter the directory: a 0700 parent anywhere above it forbids that. */
export const canEnter = async (dir: string, account: Account): Promise<boolean> => {
  if (account === undefined) return true;
  return run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', dir], spawnOptions(account)).then(
    () => true,
    () => false,
  );
};
