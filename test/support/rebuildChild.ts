/** Rebuilds every projection of DATABASE_URL over and over until it is killed; says so at the start of each. */
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { ProjectionEngine } from '../../src/projections/engine/engine.js';
import { projections } from '../../src/projections/index.js';

const pool = createPool({ url: process.env['DATABASE_URL'] ?? '', max: 6, logger });
const store = new PgEventStore({ pool });
const engine = new ProjectionEngine({ store, pool, projections, logger });
for (;;) {
  process.stdout.write('start\n');
  await engine.rebuild('all', { batch: 100, maxRowsInMemory: 60 });
}
