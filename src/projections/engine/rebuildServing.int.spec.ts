import { expect } from 'chai';
import type pg from 'pg';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { createPool } from '../../infra/postgres/pool.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import {
  caught,
  digest,
  eventually,
  named,
  untilCaughtUp,
  upgraded,
  withLive,
} from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { ProjectionEngine } from './engine.js';
import type { RebuildProgress } from './progress.js';

const log = recoveryHistories({ seed: 3, recoveries: 60 });
const old = named('recoveries');

/** Reads the view with a prepared statement, over and over; answers what broke the promise to readers. */
const hammer = async (pool: pg.Pool, signal: AbortSignal): Promise<{ reads: number; broken: string[] }> => {
  const broken: string[] = [];
  let [reads, rows, position] = [0, 0, 0n];
  while (!signal.aborted) {
    try {
      const answer = await pool.query<{ rows: number; position: string }>({
        name: 'hammer',
        text: `SELECT (SELECT count(*)::int FROM recoveries WHERE status IS NOT NULL) AS rows, position
                 FROM projection_generations WHERE name = 'recoveries' AND state = 'active'`,
      });
      const now = answer.rows[0] ?? { rows: -1, position: '-1' };
      if (now.rows < rows || BigInt(now.position) < position)
        broken.push(`${now.rows} rows at ${now.position} after ${rows} rows at ${position}`);
      [reads, rows, position] = [reads + 1, now.rows, BigInt(now.position)];
    } catch (error) {
      broken.push(String(error));
    }
  }
  return { reads, broken };
};

describe('a rebuild beside those who read', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  const engineOn = (pool: pg.Pool, model = old) =>
    new ProjectionEngine({ store, pool, projections: [model], logger });

  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
    await seedLog(db.pool, log.slice(0, 200));
    const engine = engineOn(db.pool);
    await engine.ensure();
    await withLive(engine, () => untilCaughtUp(engine));
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  it('never shows them an error, fewer rows or an older position, through swaps and an upgrade', async () => {
    const stop = new AbortController();
    const readers = [1, 2, 3, 4].map(() => hammer(db.pool, stop.signal));
    const engine = engineOn(db.pool);
    await withLive(engine, async () => {
      const writing = (async () => {
        for (let from = 200; from < log.length; from += 10)
          await seedLog(db.pool, log.slice(from, from + 10));
      })();
      for (let round = 0; round < 4; round++) await engine.rebuild(['recoveries'], { batch: 50 });
      await writing;
      await untilCaughtUp(engine);
    });
    const next = engineOn(db.pool, upgraded(old));
    await next.ensure();
    await withLive(next, () =>
      eventually(async () =>
        (await next.status()).every(({ fold_version }) => fold_version === old.version + 1),
      ),
    );
    stop.abort();
    for (const { reads, broken } of await Promise.all(readers)) {
      expect(broken).to.deep.equal([]);
      expect(reads).to.be.greaterThan(20);
    }
  }).timeout(60_000);

  it('steps back while one of them holds the view, says so, and swaps when it is gone', async () => {
    const engine = engineOn(db.pool);
    const reader = await db.pool.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM recoveries');
    const phases: string[] = [];
    const rebuilding = engine.rebuild(['recoveries'], { onProgress: ({ phase }) => phases.push(phase) });
    const waiting = await eventually(async () =>
      (await engine.status()).find(({ rebuild }) => rebuild?.phase === 'waiting for lock'),
    );
    expect(waiting).to.include({ state: 'rebuilding' });
    expect(waiting.blocker).to.contain('some transaction keeps reading the old table');
    // Others are not queued behind the swap.
    expect(await digest(db.pool, 'recoveries')).to.match(/^\d+ /);
    await reader.query('COMMIT');
    reader.release();
    await rebuilding;
    expect(phases).to.include('waiting for lock');
    expect(phases.at(-1)).to.equal('swapped');
  });

  it('keeps no more rows in memory than it may', async () => {
    const told: RebuildProgress[] = [];
    const onProgress = (progress: RebuildProgress) => void told.push(progress);
    const [batch, maxRowsInMemory] = [1, 10];
    await engineOn(db.pool).rebuild('all', { batch, maxRowsInMemory, onProgress });
    const most = Math.max(...told.map(({ rowsInMemory }) => rowsInMemory));
    expect(most).to.be.within(1, maxRowsInMemory + batch);
  });

  it('tells a fraction that only grows, and is whole only at the end', async () => {
    const told: RebuildProgress[] = [];
    await engineOn(db.pool).rebuild('all', { batch: 20, onProgress: (progress) => void told.push(progress) });
    const fractions = told.map(({ fraction }) => fraction);
    expect(fractions).to.deep.equal([...fractions].sort((a, b) => a - b));
    expect(told.filter(({ fraction }) => fraction === 1).map(({ phase }) => phase)).to.deep.equal([
      'swapped',
    ]);
    const busy = told.filter(({ phase, fraction }) => phase !== 'swapped' && fraction > 0);
    expect(busy.every(({ etaSeconds }) => etaSeconds !== undefined && etaSeconds > 0)).to.equal(true);
  });

  it('outlives the time limit of the statements of the pool', async () => {
    const pool = createPool({ url: db.url, max: 10, statementTimeoutMs: 200, logger });
    const holder = await db.pool.connect();
    let held: Promise<unknown> | undefined;
    const hold = async () => {
      await holder.query('BEGIN; LOCK TABLE projection_generations IN ACCESS EXCLUSIVE MODE');
      await new Promise((resolve) => setTimeout(resolve, 600));
      await holder.query('COMMIT');
    };
    try {
      const result = await engineOn(pool).rebuild(['recoveries'], {
        batch: 20,
        onProgress: () => void (held ??= hold()),
      });
      expect(result.events).to.be.greaterThan(0);
    } finally {
      await held;
      holder.release();
      await pool.end();
    }
  });

  it('leaves the server nothing to do when it is stopped in the middle of an index', async () => {
    await db.pool.query(`
      CREATE FUNCTION slow_index() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); END';
      CREATE EVENT TRIGGER slow_index ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION slow_index()`);
    const stop = new AbortController();
    const asleep = () =>
      db.pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE 'CREATE%INDEX%' AND state = 'active'
            AND pid <> pg_backend_pid()`,
      );
    const stopped = caught(engineOn(db.pool).rebuild(['recoveries'], { signal: stop.signal }));
    await eventually(async () => ((await asleep()).rows[0]?.n ?? 0) > 0);
    stop.abort();
    expect(await stopped).to.be.instanceOf(Error);
    expect((await asleep()).rows).to.deep.equal([{ n: 0 }]);
    const { rows } = await db.pool.query(`SELECT state FROM projection_generations`);
    expect(rows).to.deep.equal([{ state: 'active' }]);
  });
});
