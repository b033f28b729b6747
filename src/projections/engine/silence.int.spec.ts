import { expect } from 'chai';
import type pg from 'pg';
import { FaultyProxy } from '../../../test/support/faultyProxy.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { createPool } from '../../infra/postgres/pool.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { within } from '../../kernel/timeBudget.js';
import { withRebuildLock } from './lock.js';
import { withBuildClient } from './transaction.js';

describe('a rebuild whose connections fall silent', () => {
  let db: TestDatabase;
  let proxy: FaultyProxy;
  let pool: pg.Pool;
  let stop: AbortController;
  before(async () => {
    db = await createTestDatabase({ migrated: false });
  });
  after(() => db.drop());
  beforeEach(async () => {
    const url = new URL(db.url);
    proxy = new FaultyProxy(Number(url.port));
    await proxy.start();
    url.port = String(proxy.port);
    pool = createPool({ url: url.href, logger });
    stop = new AbortController();
  });
  afterEach(async () => {
    await proxy.stop();
    await pool.end();
  });

  const ends = async (work: Promise<unknown>): Promise<unknown> => {
    const outcome = work.then(
      () => 'done',
      (error: unknown) => error,
    );
    return within(20_000, outcome, () => new Error('it still waits'));
  };

  it('ends when it is told to, in the middle of a statement', async () => {
    const work = withBuildClient(pool, stop.signal, async (client) => {
      const slow = client.query('SELECT pg_sleep(60)');
      proxy.hang();
      stop.abort();
      await slow;
    });
    expect(await ends(work)).to.be.instanceOf(Error);
  });

  it('ends when it is told to, before its first statement', async () => {
    const idle = await pool.connect();
    idle.release();
    proxy.hang();
    const work = withBuildClient(pool, stop.signal, () => Promise.resolve());
    setTimeout(() => stop.abort(), 100);
    expect(await ends(work)).to.be.instanceOf(Error);
  });

  it('ends by itself when only its lock is left to give back', async () => {
    const work = withRebuildLock(pool, ['payments'], () => Promise.resolve(proxy.hang()), stop.signal);
    expect(await ends(work)).to.equal('done');
  });
});
