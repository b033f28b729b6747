import { expect } from 'chai';
import type pg from 'pg';
import { type Answer, startApi, type TestApi } from '../../test/support/api.js';
import { eventually } from '../../test/support/engine.js';
import { FaultyProxy } from '../../test/support/faultyProxy.js';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import type { Db } from '../kernel/db.js';
import { createPool } from '../infra/postgres/pool.js';
import { silentLogger as logger } from '../kernel/logger.js';

const SLOW = 'SELECT pg_sleep(60)';

describe('HTTP interface without its database', () => {
  let database: TestDatabase;
  let proxy: FaultyProxy;
  let pool: pg.Pool;
  let api: TestApi;
  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
    const url = new URL(database.url);
    proxy = new FaultyProxy(Number(url.port));
    await proxy.start();
    url.port = String(proxy.port);
    pool = createPool({ url: url.href, logger });
    pool.options.connectionTimeoutMillis = 300;
    api = await startApi({ db: { query: () => pool.query(SLOW) } as unknown as Db });
  });
  afterEach(async () => {
    await api.close();
    await proxy.stop();
    await pool.end();
    await database.drop();
  });

  const read = (): Promise<Answer> => api.call('/v1/payments', { token: 'viewer.acme' });
  const isUnavailable = ({ status, body, headers }: Answer): void => {
    expect([status, body['code']]).to.deep.equal([503, 'unavailable']);
    expect(Number(headers.get('retry-after'))).to.be.greaterThan(0);
  };
  /** Does it as soon as the statement of a request runs. */
  const meanwhile = async (happens: (pid: number) => unknown): Promise<Answer> => {
    const answer = read();
    const pid = await eventually(async () => {
      const text = 'SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = $1';
      return (await database.pool.query<{ pid: number }>(text, [SLOW])).rows[0]?.pid;
    });
    await happens(pid as number);
    return answer;
  };

  it('says so when connections are refused', async () => {
    await proxy.stop();
    isUnavailable(await read());
  });

  it('says so when connections are taken, and nobody answers on them', async () => {
    proxy.hang();
    isUnavailable(await read());
  });

  it('says so when the connection breaks under a statement', async () => {
    isUnavailable(await meanwhile(() => proxy.cut()));
  });

  it('says so when the server gives a statement up', async () => {
    isUnavailable(await meanwhile((pid) => database.pool.query('SELECT pg_cancel_backend($1)', [pid])));
  });
});
