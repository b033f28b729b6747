import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import pgCopy from 'pg-copy-streams';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { createTestDatabase, startTestCluster, type TestDatabase } from '../../../test/support/postgres.js';
import type { NewEvent } from '../../events/envelope.js';
import { silentLogger } from '../../kernel/logger.js';
import { migrate } from '../postgres/migrate.js';
import { createPool } from '../postgres/pool.js';
import { PgEventStore } from './pgEventStore.js';

/** The log as a dump holds it: the events, and the counter. */
const copyLog = async (from: TestDatabase['pool'], to: TestDatabase['pool']): Promise<void> => {
  const [source, target] = await Promise.all([from.connect(), to.connect()]);
  await pipeline(
    source.query(pgCopy.to('COPY events TO STDOUT')),
    target.query(pgCopy.from('COPY events FROM STDIN')),
  );
  source.release();
  target.release();
  const { rows } = await from.query<{ position: string; at: string }>(
    'SELECT position, recorded_at AS at FROM event_log_head',
  );
  await to.query('UPDATE event_log_head SET position = $1, recorded_at = $2', [
    rows[0]?.position,
    rows[0]?.at,
  ]);
};

describe('The log in a fresh cluster', function () {
  this.timeout(60_000);

  it('reads, resumes, repeats and goes on as in the old one', async () => {
    const db = await createTestDatabase();
    const old = new PgEventStore({ pool: db.pool });
    const stream = uniqueStream();
    const first = sampleEvents(3);
    const original = await old.append(stream, 'no_stream', first);
    for (let i = 0; i < 50; i++) await old.append(uniqueStream(), 'no_stream', sampleEvents(2));
    const before = await collect(old.readAll({ after: 0n }));
    const lines = await flatten(old.readLines({ after: 0n }));

    const cluster = await startTestCluster();
    await migrate(cluster.url, silentLogger);
    const pool = createPool({ url: cluster.url, max: 5, logger: silentLogger });
    await copyLog(db.pool, pool);
    const restored = new PgEventStore({ pool });

    expect(await collect(restored.readAll({ after: 0n }))).to.deep.equal(before);
    expect(await flatten(restored.readLines({ after: 0n }))).to.deep.equal(lines);
    expect(await restored.append(stream, 'no_stream', first)).to.deep.equal(original);
    const orgId = randomUUID();
    const next: NewEvent[] = sampleEvents(1, { orgId });
    const { position } = await restored.append(stream, 2n, next);
    expect(position).to.equal((before.caughtUp ?? 0n) + 1n);
    // A projection's checkpoint from the old cluster still means the same.
    const { events } = await collect(restored.subscribe({ after: 90n }));
    expect(idsOf(events)).to.deep.equal([...idsOf(before.events.slice(90)), ...idsOf(next)]);

    await Promise.all([restored.close(), old.close()]);
    await pool.end();
    await Promise.all([cluster.stop(), db.drop()]);
  });
});
