import { expect } from 'chai';
import fc from 'fast-check';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { untilCaughtUp, withLive } from '../../../test/support/engine.js';
import { createTestDatabase } from '../../../test/support/postgres.js';
import { rowsOf } from '../../../test/support/projectionSpec.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { projections } from '../index.js';
import { rowTypes } from './codec.js';
import { ProjectionEngine } from './engine.js';
import type { Row } from './projection.js';

const history = fc.record({
  seed: fc.nat(),
  recoveries: fc.integer({ min: 1, max: 12 }),
  cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  batch: fc.integer({ min: 1, max: 60 }),
  maxRowsInMemory: fc.integer({ min: 1, max: 50 }),
});

describe('the engine', () => {
  it('stores what the pure fold says, live and rebuilt, however the log is cut and the memory bounded', () =>
    fc.assert(
      fc.asyncProperty(history, async ({ seed, recoveries, cuts, batch, maxRowsInMemory }) => {
        const log = recoveryHistories({ seed, recoveries });
        const db = await createTestDatabase();
        const store = new PgEventStore({ pool: db.pool });
        const engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
        const check = async () => {
          for (const projection of projections) {
            const { rows } = await db.pool.query<Row>({
              text: `SELECT * FROM ${projection.table.name}`,
              types: rowTypes,
            });
            const stored = new Map(rows.map((row) => [row.key, row]));
            expect(stored).to.deep.equal(rowsOf(projection, structuredClone(log)));
          }
        };
        try {
          await engine.ensure();
          await withLive(engine, async () => {
            for (let from = 0, cut = 0; from < log.length; cut++) {
              const size = cuts[cut % cuts.length] ?? 1;
              await seedLog(db.pool, log.slice(from, from + size));
              from += size;
            }
            await untilCaughtUp(engine);
          });
          await check();
          await engine.rebuild('all', { batch, maxRowsInMemory });
          await check();
        } finally {
          await store.close();
          await db.drop();
        }
      }),
      { numRuns: 12 },
    )).timeout(120_000);
});
