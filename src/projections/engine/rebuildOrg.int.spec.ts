import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { caught, digests, untilCaughtUp, withLive } from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { projections } from '../index.js';
import { ProjectionEngine } from './engine.js';

const log = recoveryHistories({ seed: 11, recoveries: 60 });
const org = log[0]?.metadata.org_id ?? '';

describe('a rebuild of one organization', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  let engine: ProjectionEngine;

  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
    engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
    await engine.ensure();
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  const tables = async (): Promise<unknown[]> => {
    const { rows } = await db.pool.query(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '__g[0-9]+$' ORDER BY relname`,
    );
    return rows;
  };
  const spoil = async (): Promise<void> => {
    await db.pool.query(`UPDATE recoveries SET status = 'lost' WHERE org_id = $1`, [org]);
    await db.pool.query(`DELETE FROM payments WHERE org_id = $1`, [org]);
  };

  it('puts its rows right inside the served tables, and touches no others', async () => {
    await seedLog(db.pool, log);
    await withLive(engine, () => untilCaughtUp(engine));
    const [live, before] = [await digests(db.pool, engine), await tables()];
    const { rows } = await db.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM recoveries WHERE org_id = $1`,
      [org],
    );
    expect(rows).to.deep.equal([{ n: 30 }]);
    await spoil();
    await engine.rebuild('all', { org, batch: 20, maxRowsInMemory: 10 });
    expect(await digests(db.pool, engine)).to.deep.equal(live);
    expect(await tables()).to.deep.equal(before);
  });

  it('loses and doubles nothing beside a live projector', async () => {
    await seedLog(db.pool, log.slice(0, 200));
    await withLive(engine, async () => {
      await untilCaughtUp(engine);
      await spoil();
      const writing = (async () => {
        for (let from = 200; from < log.length; from += 5) await seedLog(db.pool, log.slice(from, from + 5));
      })();
      for (let round = 0; round < 5; round++)
        await engine.rebuild('all', { org, batch: 20, maxRowsInMemory: 10 });
      await writing;
      await untilCaughtUp(engine);
    });
    const live = await digests(db.pool, engine);
    await engine.rebuild('all');
    expect(await digests(db.pool, engine)).to.deep.equal(live);
  }).timeout(60_000);

  it('refuses an organization that no event speaks of', async () => {
    await seedLog(db.pool, log);
    const error = await caught(engine.rebuild('all', { org: randomUUID() }));
    expect(error).to.include({ code: 'unknown_organization' });
  });
});
