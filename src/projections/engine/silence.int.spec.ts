import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type pg from 'pg';
import { eventually } from '../../../test/support/engine.js';
import { FaultyProxy } from '../../../test/support/faultyProxy.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { createPool } from '../../infra/postgres/pool.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { within } from '../../kernel/timeBudget.js';
import { copyRows } from './copy.js';
import { endCopiesInto, lockedNames, withRebuildLock } from './lock.js';
import type { Row } from './projection.js';
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

  /** Until the server has ended the sessions that hold the lock. */
  const unlocked = (): Promise<boolean> =>
    eventually(async () => (await lockedNames(db.pool, ['payments'])).size === 0, 30_000);

  for (const [what, text] of [
    ['waits', 'SELECT'],
    ['has a transaction open', 'BEGIN'],
  ] as const)
    it(`loses its lock when it ${what}`, async function () {
      this.timeout(60_000);
      const work = withRebuildLock(
        pool,
        ['payments'],
        async (client) => {
          await client.query(text);
          proxy.hang();
          await unlocked().finally(() => stop.abort());
        },
        stop.signal,
      );
      await work;
    });

  const codec = { columnList: 'line', toCopy: () => `${'x'.repeat(1_000)}\n` };
  /** Rows that never come to an end; the connections fall silent in the middle of a COPY. */
  function* silentRows(): Generator<Row> {
    for (let n = 0; ; n++) {
      if (n === 1_000) proxy.hang();
      yield { key: 'a', org_id: 'b' };
    }
  }
  const inCopy = (): Promise<boolean> =>
    eventually(async () => {
      const { rows } = await db.pool.query(
        `SELECT FROM pg_stat_activity
          WHERE datname = current_database() AND state = 'active' AND wait_event = 'ClientRead' AND query ~ '^COPY'
            AND query_start < clock_timestamp() - interval '1 second'`,
      );
      return rows.length === 1;
    });

  it('loses its lock when it copies rows', async function () {
    this.timeout(60_000);
    await db.pool.query('CREATE TABLE copied (line text)');
    const work = withRebuildLock(pool, ['payments'], (client) =>
      copyRows(client, codec, 'copied', silentRows()),
    );
    work.catch(() => undefined);
    await inCopy();
    await eventually(async () => {
      const again = withRebuildLock(db.pool, ['payments'], () => Promise.resolve(true));
      return again.catch(() => false);
    }, 30_000);
    await proxy.stop();
    expect(await ends(work)).to.be.instanceOf(Error);
  });

  it('leaves its table to the next one when it copies rows on a connection beside the lock', async function () {
    this.timeout(60_000);
    await db.pool.query('CREATE TABLE payments__g7 (line text)');
    // As of a frozen process: it does not notice that its lock is gone.
    const work = withRebuildLock(pool, ['payments'], () =>
      withBuildClient(pool, stop.signal, (staging) => copyRows(staging, codec, 'payments__g7', silentRows())),
    );
    work.catch(() => undefined);
    await inCopy();
    await unlocked();
    const next = withRebuildLock(db.pool, ['payments'], async (client) => {
      await endCopiesInto(client, 'payments__g7');
      await client.query('DROP TABLE payments__g7');
    });
    expect(await ends(next)).to.equal('done');
    await proxy.stop();
    expect(await ends(work)).to.be.instanceOf(Error);
  });

  it('is kept alive while it is at work, or only waits', async function () {
    this.timeout(60_000);
    const work = withRebuildLock(pool, ['payments'], async (client) => {
      await sleep(17_000);
      return client.query('SELECT 1 AS one');
    });
    expect((await work).rowCount).to.equal(1);
  });

  it('ends by itself when only its lock is left to give back', async () => {
    const work = withRebuildLock(pool, ['payments'], () => Promise.resolve(proxy.hang()), stop.signal);
    expect(await ends(work)).to.equal('done');
  });
});
