import type pg from 'pg';
import { signsOfLife, watchSession } from '../../kernel/signsOfLife.js';

const ignore = (): void => undefined;

/** Of pg itself, when a statement's answer did not come: whoever lent the client throws it away. */
const isReadTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

/** Runs `work` between BEGIN and COMMIT; rolls back when it throws. */
export const inTransaction = async <T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> => {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A dead connection has rolled back already, a silent one would not answer, and the first error tells why.
    if (!isReadTimeout(error)) await client.query('ROLLBACK').catch(ignore);
    throw error;
  }
};

/** Lends a client of the pool; one whose work failed is thrown away, for its state is unknown. */
export const withClient = async <T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  // Without a listener the loss of the connection would end the process; the query in flight rejects anyway.
  client.on('error', ignore);
  let failed = true;
  try {
    const result = await work(client);
    failed = false;
    return result;
  } finally {
    client.off('error', ignore);
    client.release(failed);
  }
};

/** Lifts pg's limit from all statements of a client; from a single one it cannot be lifted. */
const waitForEver = (client: pg.ClientBase): void => {
  const { connectionParameters } = client as unknown as { connectionParameters: { query_timeout?: number } };
  connectionParameters.query_timeout = 0;
};

/** How long an abort waits for the end of what the client was at: nobody answers on its connection any more. */
const GIVE_UP_MS = 5_000;

/**
 * Lends a client for statements that take as long as they take. An abort cancels the one in flight, which the server
 * would otherwise finish, and leaves the rest a moment to tidy up before the connection is cut. The server ends the
 * session, and with it its locks, when this process is frozen or cut off. Thrown away afterwards, for no time limit
 * holds on it any more.
 */
export const withBuildClient = async <T>(
  pool: pg.Pool,
  signal: AbortSignal,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted();
  const client = await pool.connect();
  client.on('error', ignore);
  let pid: number | undefined;
  let throwAway = (): void => {
    throwAway = ignore;
    client.release(true); // rejects whatever waits for an answer on it
  };
  let patience: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    if (pid !== undefined) void pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(ignore);
    patience = setTimeout(() => throwAway(), GIVE_UP_MS);
  };
  signal.addEventListener('abort', onAbort);
  const over = new AbortController();
  try {
    await watchSession(client);
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pg_backend_pid() AS pid, set_config('statement_timeout', '0', false)`,
    );
    pid = rows[0]?.pid;
    signal.throwIfAborted();
    waitForEver(client);
    void signsOfLife(over.signal, () => client.query('SELECT').catch(ignore));
    return await work(client);
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
    clearTimeout(patience);
    throwAway();
  }
};
