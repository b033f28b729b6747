import type pg from 'pg';
import { StartRefused } from '../../kernel/errors.js';
import { migrationStatus } from './migrate.js';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly severity: 'error' | 'warning';
  readonly detail: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly fix: string;
}

interface Settings {
  readonly version: number;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly encoding: string;
  readonly max_connections: number;
  readonly reserved: number;
}

const check = (found: Check): Check => ({ ...found, fix: found.ok ? '' : found.fix });

const CLOCK_TOLERANCE_MS = 2000;

const readSettings = async (pool: pg.Pool): Promise<Settings> => {
  const { rows } = await pool.query<Settings>(`
    SELECT current_setting('server_version_num')::int / 10000 AS version,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS full_page_writes,
           current_setting('synchronous_commit') AS synchronous_commit,
           (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()) AS encoding,
           current_setting('max_connections')::int AS max_connections,
           current_setting('superuser_reserved_connections')::int AS reserved`);
  const [settings] = rows;
  if (settings === undefined) throw new Error('The server does not tell its settings.');
  return settings;
};

const versionCheck = ({ version }: Settings): Check =>
  check({
    name: 'database version',
    ok: version >= 15 && version <= 18,
    severity: 'error',
    detail: `Postgres ${version}`,
    fix: 'Point DATABASE_URL at a Postgres 15, 16, 17 or 18, the versions this was tested with.',
  });

const LOSSES = {
  fsync: ['error', 'a crash of the machine can destroy the database'],
  full_page_writes: ['error', 'a crash of the machine can leave half-written pages behind'],
  synchronous_commit: ['warning', 'a crash can lose the last writes that were already confirmed'],
} as const;

const durabilityCheck = (settings: Settings, name: keyof typeof LOSSES): Check => {
  const [severity, loss] = LOSSES[name];
  return check({
    name,
    ok: settings[name] !== 'off',
    severity,
    detail: settings[name] === 'off' ? `off: ${loss}` : settings[name],
    fix: `Set ${name} = on in postgresql.conf (ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf();).`,
  });
};

const encodingCheck = ({ encoding }: Settings): Check =>
  check({
    name: 'database encoding',
    ok: encoding === 'UTF8',
    severity: 'error',
    detail: encoding,
    fix: `Create the database anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0.`,
  });

const connectionsCheck = ({ max_connections: max, reserved }: Settings, poolSize: number): Check =>
  check({
    name: 'database connections',
    // Beside the pool: listener, presence, migrations, and somebody with psql.
    ok: poolSize + 5 <= max - reserved,
    severity: 'warning',
    detail: `a pool of ${poolSize} for this process, ${max - reserved} in all on the server`,
    fix: 'Lower DATABASE_POOL_SIZE, or raise max_connections; count every process that uses this server.',
  });

/** The difference between the clocks: theirs against the middle of the time the question took. */
const clockCheck = async (pool: pg.Pool): Promise<Check> => {
  const before = Date.now();
  const { rows } = await pool.query<{ ms: number }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
  );
  const after = Date.now();
  const difference = Math.round((rows[0]?.ms ?? 0) - (before + after) / 2);
  return check({
    name: 'clock',
    ok: Math.abs(difference) <= CLOCK_TOLERANCE_MS + (after - before) / 2,
    severity: 'warning',
    detail: `the server's clock is ${Math.abs(difference)} ms ${difference < 0 ? 'behind' : 'ahead of'} ours`,
    fix: 'Let NTP (chrony, systemd-timesyncd) keep both clocks right.',
  });
};

const migrationsCheck = async (pool: pg.Pool): Promise<Check> => {
  const { applied, pending, unknown } = await migrationStatus(pool);
  const newer = unknown.length > 0 ? `, newer than this code: ${unknown.join(', ')}` : '';
  const open = pending.length > 0 ? `, pending: ${pending.join(', ')}` : '';
  return check({
    name: 'migrations',
    ok: pending.length === 0 && unknown.length === 0,
    severity: pending.length > 0 ? 'error' : 'warning',
    detail: `${applied.length} applied${open}${newer}`,
    fix: pending.length > 0 ? 'Run `recovery migrate up`.' : 'Run the version of the code that made them.',
  });
};

/** Everything about the database that `recovery doctor` tells. A server that cannot be reached is one failed check. */
export const databaseChecks = async (pool: pg.Pool): Promise<Check[]> => {
  try {
    const settings = await readSettings(pool);
    return [
      check({ name: 'database', ok: true, severity: 'error', detail: 'answers', fix: '' }),
      versionCheck(settings),
      durabilityCheck(settings, 'fsync'),
      durabilityCheck(settings, 'full_page_writes'),
      durabilityCheck(settings, 'synchronous_commit'),
      encodingCheck(settings),
      connectionsCheck(settings, pool.options.max),
      await clockCheck(pool),
      await migrationsCheck(pool),
    ];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const fix =
      'See that the server runs, and that DATABASE_URL names its host, port, user, password and database.';
    return [
      check({
        name: 'database',
        ok: false,
        severity: 'error',
        detail: message || (code ?? 'no answer'),
        fix,
      }),
    ];
  }
};

/**
 * What keeps this system from starting. Outside production, data may be given up for speed: there a lossy
 * server is only worth a warning, which the caller logs.
 * @throws StartRefused naming each failed check and its fix
 */
export const refuseUnsafe = (checks: readonly Check[], environment: string): void => {
  const tolerated = environment === 'production' ? [] : ['fsync', 'full_page_writes'];
  const failed = checks.filter(
    ({ ok, severity, name }) => !ok && severity === 'error' && !tolerated.includes(name),
  );
  if (failed.length === 0) return;
  throw new StartRefused(failed.map(({ name, detail, fix }) => `${name}: ${detail}. ${fix}`));
};
