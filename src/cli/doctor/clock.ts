import type { Db } from '../../kernel/db.js';
import type { Check } from '../services.js';

const WARN_MS = 2_000;
const ERROR_MS = 60_000;

/** How far this machine's clock is from the database's, allowing for the time that asking took. */
export const clockSkew = async (db: Db, now: () => number = Date.now): Promise<number> => {
  const before = now();
  const { rows } = await db.query<{ ms: string }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
  );
  const after = now();
  const database = Number(rows[0]?.ms);
  if (database >= before && database <= after) return 0;
  return database < before ? before - database : database - after;
};

/** Leases and lag compare the two clocks; retries and tokens go by this machine's. */
export const clockCheck = async (db: Db, now?: () => number): Promise<Check> => {
  const skew = await clockSkew(db, now);
  return {
    name: 'clock',
    ok: skew < WARN_MS,
    severity: skew < ERROR_MS ? 'warning' : 'error',
    detail:
      skew < WARN_MS ? 'agrees with the database' : `${(skew / 1000).toFixed(1)} s away from the database's`,
    fix: 'Synchronise both machines by NTP (timedatectl set-ntp true).',
  };
};
