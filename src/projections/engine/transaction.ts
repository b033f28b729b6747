import type pg from 'pg';

/** Runs `work` between BEGIN and COMMIT; rolls back when it throws. */
export const inTransaction = async <T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> => {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A dead connection has rolled back already, and the first error is the one that tells why.
    await client.query('ROLLBACK').catch(() => undefined);
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
  const ignore = (): void => undefined;
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
