import { expect } from 'chai';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger } from '../../kernel/logger.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { digests, untilCaughtUp, withLive } from '../../../test/support/engine.js';
import { projections } from '../index.js';
import { ProjectionEngine } from './engine.js';

describe('rebuild', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  let engine: ProjectionEngine;
  let live: Record<string, string>;

  before(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
    engine = new ProjectionEngine({ store, pool: db.pool, projections, logger: silentLogger });
    await seedLog(db.pool, recoveryHistories({ seed: 7, recoveries: 80 }));
    await engine.ensure();
    await withLive(engine, () => untilCaughtUp(engine));
    live = await digests(db.pool, engine);
  });
  after(async () => {
    await store.close();
    await db.drop();
  });

  it('finds every model filled by the live fold', () => {
    expect(Object.keys(live)).to.have.members(projections.map(({ table }) => table.name));
    expect(live['recoveries']).to.match(/^80 /);
  });

  for (const [batch, maxRowsInMemory] of [
    [5_000, 50_000],
    [1, 50_000],
    [7, 40],
    [500, 100],
    [5_000, 200],
    [50_000, 1],
  ] as const) {
    it(`gives the live rows byte for byte with pages of ${batch} and ${maxRowsInMemory} rows in memory`, async () => {
      const result = await engine.rebuild('all', { batch, maxRowsInMemory });
      expect(result.events).to.be.greaterThan(500);
      expect(await digests(db.pool, engine)).to.deep.equal(live);
    }).timeout(120_000);
  }
});
