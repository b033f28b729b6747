/** Rebuilds the recoveries once and tells the peak of the resident memory: `rebuildOnce <database url>`. */
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { ProjectionEngine } from '../../src/projections/engine/engine.js';
import { projections } from '../../src/projections/index.js';

const pool = createPool({ url: process.argv[2] ?? '', max: 10, logger });
const store = new PgEventStore({ pool });
const stop = new AbortController();
process.on('disconnect', () => stop.abort());
await new ProjectionEngine({ store, pool, projections, logger }).rebuild(['recoveries'], {
  signal: stop.signal,
});
await store.close();
await pool.end();
// maxRSS is in kilobytes.
process.send?.({ peak: process.resourceUsage().maxRSS / 1024 }, () => process.exit(0));
