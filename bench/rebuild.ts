/**
 * How fast read models are rebuilt, against merely reading the same rows in pages and parsing their JSON.
 * `tsx bench/rebuild.ts [events=300000]` starts a durable Postgres of its own; with DATABASE_URL it uses that one,
 * which must be empty or hold such a log already.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { startEmbeddedPostgres } from '../src/infra/postgres/embedded.js';
import { migrate } from '../src/infra/postgres/migrate.js';
import { createPool } from '../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../src/kernel/logger.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { recoveryHistories } from '../test/support/recoveryHistories.js';
import { seedLog } from '../test/support/seedLog.js';

export const seedTo = async (pool: pg.Pool, store: PgEventStore, events: number): Promise<void> => {
  for (let seed = 1; (await store.head()) < BigInt(events); seed++) {
    const missing = events - Number(await store.head());
    const days = 5;
    const start = new Date(Date.UTC(2026, 0, 1) + seed * days * 86_400_000).toISOString();
    const made = recoveryHistories({ seed, recoveries: 4_000, organizations: 20, days, start });
    await seedLog(pool, made.slice(0, missing));
  }
  await pool.query('VACUUM ANALYZE events');
};

/** Keyset pages of 5,000 rows; pg's own parsers, which JSON.parse both documents. */
export const bareRead = async (url: string, types?: readonly string[]): Promise<number> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let events = 0;
  for (let after = '0'; ;) {
    const { rows } = await client.query<{ position: string }>({
      name: 'page',
      text: `SELECT position, stream_id, revision, event_id, type, recorded_at, data, metadata FROM events
              WHERE position > $1 ${types ? 'AND type = ANY ($2)' : ''} ORDER BY position LIMIT 5000`,
      values: types ? [after, types] : [after],
    });
    events += rows.length;
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.position;
  }
  await client.end();
  return events;
};

const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const start = performance.now();
  const result = await work();
  return [result, (performance.now() - start) / 1000];
};

const measure = async (url: string, events: number): Promise<void> => {
  const pool = createPool({ url, max: 10, logger });
  const store = new PgEventStore({ pool });
  const engine = new ProjectionEngine({ store, pool, projections, logger });
  await seedTo(pool, store, events);
  await engine.ensure();
  const only = (process.env['BENCH_ONLY'] ?? 'recoveries,all').split(',');
  for (const name of only) {
    const types = name === 'all' ? undefined : projections.find(({ table }) => table.name === name)?.events;
    for (let round = 1; round <= Number(process.env['BENCH_ROUNDS'] ?? 3); round++) {
      const [read, baseline] =
        process.env['BENCH_BARE'] === '0' ? [0, 0] : await timed(() => bareRead(url, types));
      const phases: string[] = [];
      let phase = '';
      const [result, seconds] = await timed(() =>
        engine.rebuild(name === 'all' ? 'all' : [name], {
          batch: Number(process.env['BENCH_BATCH'] ?? 5_000),
          onProgress: (progress) => {
            const now = `${progress.phase} ${progress.projection ?? ''}`;
            if (now !== phase) phases.push(`${now.trim()} @${progress.elapsedSeconds.toFixed(2)}`);
            phase = now;
          },
        }),
      );
      const rss = Math.round(process.resourceUsage().maxRSS / 1024);
      console.log(
        JSON.stringify({
          name,
          read,
          events: result.events,
          seconds,
          baseline,
          ratio: baseline / seconds,
          rss,
        }),
      );
      if (process.env['BENCH_PHASES'] === '1') console.log(phases.join(' · '));
    }
  }
  await store.close();
  await pool.end();
};

const main = async (): Promise<void> => {
  const events = Number(process.argv[2] ?? 300_000);
  const given = process.env['DATABASE_URL'];
  if (given !== undefined) {
    await migrate(given, logger);
    await measure(given, events);
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), 'recovery-bench-'));
  await chmod(dir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir: join(dir, 'data'), durable: true, logger });
  try {
    await migrate(server.url, logger);
    await measure(server.url, events);
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  }
};

await main();
