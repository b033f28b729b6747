/**
 * A process of its own on the event store, for tests that kill it:
 *   write <url> <orgId>          sixteen writers; prints the ids written, then exits
 *   read <url> <orgId> <after>   subscribes; prints `{position, ids}` after handling each delivery, until killed
 */
import { silentLogger } from '../../src/kernel/logger.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { idsOf } from './eventSamples.js';
import { writeConcurrently } from './eventWriters.js';

const [mode, url, orgId, after] = process.argv.slice(2) as [string, string, string, string?];
const pool = createPool({ url, max: 4, logger: silentLogger });
const store = new PgEventStore({ pool });
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (mode === 'write') {
  print(await writeConcurrently([store], orgId));
  await store.close();
  await pool.end();
} else {
  for await (const delivery of store.subscribe({
    after: BigInt(after ?? 0),
    filter: { orgId },
    pageSize: 5,
  })) {
    const ids = delivery.kind === 'events' ? idsOf(delivery.events) : [];
    print({ position: String(delivery.position), ids });
  }
}
