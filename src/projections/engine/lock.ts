import type pg from 'pg';
import { SILENCE_MS } from '../../kernel/signsOfLife.js';
import { within } from '../../kernel/timeBudget.js';
import { ProjectionError } from './errors.js';
import { quoted } from './table.js';
import { withBuildClient } from './transaction.js';

/** The first key of every advisory lock of rebuilds; the second is the hash of the projection's name. */
const NAMESPACE = 0x5245; // "RE"

const UNLOCK_MS = 5_000;

/**
 * Holds the rebuild lock of these projections while `work` runs. It belongs to the session: a killed process frees
 * it at once, one that is frozen or cut off when the server has heard nothing of it for a while. The signal handed on also aborts when the connection goes, for then another rebuild may begin.
 * @throws ProjectionError `rebuild_running`
 */
export const withRebuildLock = <T>(
  pool: pg.Pool,
  names: readonly string[],
  work: (client: pg.PoolClient, signal: AbortSignal) => Promise<T>,
  signal: AbortSignal = NEVER,
): Promise<T> =>
  withBuildClient(pool, signal, async (client) => {
    const lost = new AbortController();
    const onLoss = (error?: Error): void =>
      lost.abort(error ?? new Error('the connection that held the rebuild lock ended'));
    client.on('error', onLoss);
    client.on('end', onLoss);
    try {
      await lock(client, names);
      return await work(client, AbortSignal.any([lost.signal, signal]));
    } finally {
      client.off('end', onLoss);
      // Closing the session frees its locks whatever became of it, but only after a while.
      const unlocked = client.query('SELECT pg_advisory_unlock_all()');
      await within(UNLOCK_MS, unlocked, () => new Error('no answer')).catch(() => undefined);
    }
  });

const NEVER = new AbortController().signal;

const lock = async (client: pg.ClientBase, names: readonly string[]): Promise<void> => {
  for (const name of [...names].sort()) {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1, hashtext($2)) AS locked',
      [NAMESPACE, name],
    );
    if (rows[0]?.locked === true) continue;
    await endSilentCopy(client, name);
    throw new ProjectionError(
      'rebuild_running',
      `${name} is being rebuilt already; wait for it, or stop it first`,
    );
  }
};

/** A server that waits for the rest of a COPY heeds no time limit: the session of who has stopped sending is ended here. */
const endCopies = (client: pg.ClientBase, which: string, values: readonly unknown[]): Promise<unknown> =>
  client.query(
    `SELECT pg_terminate_backend(a.pid)
       FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.granted AND l.database = a.datid AND a.datname = current_database()
        AND a.state = 'active' AND a.wait_event = 'ClientRead' AND ${which}`,
    [...values],
  );

const endSilentCopy = (client: pg.ClientBase, name: string): Promise<unknown> =>
  endCopies(
    client,
    `l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = $1
     AND l.objid::bigint = (hashtext($2)::bigint & 4294967295)
     AND a.query_start < clock_timestamp() - $3 * interval '1 millisecond'`,
    [NAMESPACE, name, SILENCE_MS],
  );

/**
 * The copy of a rebuild that lost its lock, on a connection beside the one that held it. The caller holds the lock now:
 * whoever still copies into a table of the projection that is not served is frozen, cut off, or about to fail.
 */
export const endCopiesInto = (client: pg.ClientBase, physical: string): Promise<unknown> =>
  endCopies(client, 'l.relation = to_regclass($1) AND a.pid <> pg_backend_pid()', [quoted(physical)]);

/** The projections that are being rebuilt now, by whatever process. */
export const lockedNames = async (pool: pg.Pool, names: readonly string[]): Promise<ReadonlySet<string>> => {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT n.name FROM unnest($2::text[]) AS n (name)
      WHERE EXISTS (SELECT FROM pg_locks l
                     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                       AND l.classid = $1 AND l.objid::bigint = (hashtext(n.name)::bigint & 4294967295))`,
    [NAMESPACE, names],
  );
  return new Set(rows.map(({ name }) => name));
};
