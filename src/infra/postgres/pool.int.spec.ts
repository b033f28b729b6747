import { expect } from 'chai';
import type pg from 'pg';
import { FaultyProxy } from '../../../test/support/faultyProxy.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { isOutage } from '../../kernel/outage.js';
import { withBuildClient } from '../../projections/engine/transaction.js';
import { createPool } from './pool.js';

describe('pool', () => {
  let db: TestDatabase;
  before(async () => {
    db = await createTestDatabase({ migrated: false });
  });
  after(() => db.drop());

  it('hands over values as the code writes them', async () => {
    const { rows } = await db.pool.query(`SELECT
      '2026-01-01 00:00+02'::timestamptz AS plain,
      '2026-01-01 00:00:01.5Z'::timestamptz AS tenth,
      '2026-01-01 00:00:01.123999Z'::timestamptz AS micro,
      'infinity'::timestamptz AS never,
      array['2026-01-01 00:00Z', NULL]::timestamptz[] AS some,
      '2026-03-04'::date AS day,
      array['2026-03-04']::date[] AS days,
      9007199254740993::int8 AS big,
      '{"a": [1]}'::jsonb AS doc`);
    expect(rows[0]).to.deep.equal({
      plain: '2025-12-31T22:00:00.000Z',
      tenth: '2026-01-01T00:00:01.500Z',
      micro: '2026-01-01T00:00:01.123Z',
      never: 'infinity',
      some: ['2026-01-01T00:00:00.000Z', null],
      day: '2026-03-04',
      days: ['2026-03-04'],
      big: '9007199254740993',
      doc: { a: [1] },
    });
  });

  it('writes UTC whatever the zone of the session', async () => {
    const client = await db.pool.connect();
    await client.query(`SET TimeZone TO 'Asia/Kathmandu'`);
    const { rows } = await client.query(`SELECT '2026-01-01 00:00Z'::timestamptz AS at`);
    client.release(true);
    expect(rows[0]).to.deep.equal({ at: '2026-01-01T00:00:00.000Z' });
  });

  describe('whose connections fall silent', () => {
    let proxy: FaultyProxy;
    let pool: pg.Pool;
    beforeEach(async () => {
      const url = new URL(db.url);
      proxy = new FaultyProxy(Number(url.port));
      await proxy.start();
      url.port = String(proxy.port);
      pool = createPool({ url: url.href, statementTimeoutMs: 500, logger });
    });
    afterEach(async () => {
      await proxy.stop();
      await pool.end();
    });

    it('waits for no answer much longer than a statement may run, and goes on over another', async () => {
      await pool.query('SELECT');
      proxy.vanish();
      const error: unknown = await pool.query('SELECT').catch((cause: unknown) => cause);
      expect(isOutage(error), String(error)).to.equal(true);
      expect((await pool.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
    });

    it('lets the statements of a build take as long as they take', async () => {
      const { signal } = new AbortController();
      const slept = withBuildClient(pool, signal, (client) => client.query('SELECT pg_sleep(6)'));
      expect((await slept).rowCount).to.equal(1);
    });
  });

  it('outlives the loss of idle and of checked-out connections', async () => {
    const [idle, held] = [await db.pool.connect(), await db.pool.connect()];
    idle.release();
    const killer = await createTestDatabase({ migrated: false });
    await killer.pool.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      new URL(db.url).pathname.slice(1),
    ]);
    await killer.drop();
    const error = await held.query('SELECT 1').catch((cause: unknown) => cause);
    expect(error).to.be.instanceOf(Error);
    held.release(true);
    expect((await db.pool.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }]);
  });
});
