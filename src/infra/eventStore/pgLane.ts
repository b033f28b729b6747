import type pg from 'pg';

/**
 * One pooled connection, kept from statement to statement while there is work, given back when there is none, and
 * thrown away after an error.
 */
export class PgLane {
  readonly #pool: pg.Pool;
  #client: pg.PoolClient | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async query<R extends unknown[]>(query: pg.QueryArrayConfig): Promise<R[]> {
    const client = (this.#client ??= await this.#connect());
    try {
      return (await client.query<R>(query)).rows;
    } catch (error) {
      this.#discard(client);
      throw error;
    }
  }

  release(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.removeListener('error', ignore);
    client?.release();
  }

  async #connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    // Without a listener the loss of a connection ends the process. The statement in flight is rejected anyhow.
    client.on('error', ignore);
    return client;
  }

  #discard(client: pg.PoolClient): void {
    this.#client = undefined;
    client.release(true);
  }
}

const ignore = (): void => undefined;
