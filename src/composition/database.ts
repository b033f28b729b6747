import { join, resolve } from 'node:path';
import type pg from 'pg';
import type { Config } from '../config.js';
import { startEmbeddedPostgres } from '../infra/postgres/embedded.js';
import { createPool } from '../infra/postgres/pool.js';
import type { Logger } from '../kernel/logger.js';
import type { Closers } from './closers.js';

export interface Database {
  readonly url: string;
  readonly pool: pg.Pool;
}

/** DATABASE_URL, or a Postgres of our own under DATA_DIR. */
export const openDatabase = async (config: Config, logger: Logger, closers: Closers): Promise<Database> => {
  let url = config.databaseUrl;
  if (url === undefined) {
    const dataDir = join(resolve(config.dataDir), 'postgres');
    const embedded = await startEmbeddedPostgres({ dataDir, durable: true, logger });
    closers.push('embedded Postgres', () => embedded.stop());
    ({ url } = embedded);
  }
  const pool = createPool({ url, max: config.databasePoolSize, applicationName: 'stealth-recovery', logger });
  closers.push('pool', () => pool.end());
  return { url, pool };
};
