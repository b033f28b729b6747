import { expect } from 'chai';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  collect,
  idsOf,
  sampleEvents,
  sampleMetadata,
  uniqueStream,
} from '../../../test/support/eventSamples.js';
import { expectComplete, follow, writeConcurrently } from '../../../test/support/eventWriters.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import type { NewEvent } from '../../events/envelope.js';
import { silentLogger } from '../../kernel/logger.js';
import { createPool } from '../postgres/pool.js';
import { PgEventStore } from './pgEventStore.js';

const PROCESS = fileURLToPath(new URL('../../../test/support/eventStoreProcess.ts', import.meta.url));
const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

const linesOf = (child: ChildProcess): AsyncIterable<string> => {
  if (child.stdout === null) throw new Error('the child has no output');
  return createInterface({ input: child.stdout });
};

describe('PgEventStore among others and through crashes', function () {
  this.timeout(60_000);
  let db: TestDatabase;
  let store: PgEventStore;
  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  it('skips nothing while other transactions roll back or stay open, and writers sit in three processes', async () => {
    const orgId = randomUUID();
    const pool = createPool({ url: db.url, max: 5, logger: silentLogger });
    const second = new PgEventStore({ pool });
    let total = Infinity;
    const following = [store, second].map((one) => follow(one, 0n, orgId, () => total));
    const stop = new AbortController();
    const disturbing = disturb(db, stop.signal);
    const child = start('write', db.url, orgId);
    const written = await writeConcurrently([store, second], orgId);
    for await (const line of linesOf(child)) written.push(...(JSON.parse(line) as string[]));
    stop.abort();
    expect(await disturbing).to.be.greaterThan(4);
    total = written.length;
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1, { orgId: randomUUID() }));
    for (const seen of await Promise.all(following)) expectComplete(seen, written);
    const { events, caughtUp } = await collect(store.readAll({ after: 0n, pageSize: 17 }));
    expectComplete(events.slice(0, -1), written);
    expect(caughtUp, 'positions have no gaps').to.equal(BigInt(events.length));
    await second.close();
    await pool.end();
  });

  it('wakes subscriptions of another process by notification', async () => {
    const pool = createPool({ url: db.url, max: 3, logger: silentLogger });
    const other = new PgEventStore({ pool, pollMs: 60_000 });
    const orgId = randomUUID();
    const following = follow(other, 0n, orgId, () => 1);
    await sleep(300);
    const at = performance.now();
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1, { orgId }));
    expect(await following).to.have.length(1);
    expect(performance.now() - at).to.be.lessThan(2000);
    await other.close();
    await pool.end();
  });

  it('resumes after a reader was killed with SIGKILL', async () => {
    const orgId = randomUUID();
    const writing = writeConcurrently([store], orgId);
    const seen: string[] = [];
    let position = '0';
    for (let life = 1; life <= 4; life++) {
      const child = start('read', db.url, orgId, position);
      const wanted = life === 4 ? (await writing).length : seen.length + 20 * life;
      for await (const line of linesOf(child)) {
        const delivery = JSON.parse(line) as { position: string; ids: string[] };
        position = delivery.position;
        seen.push(...delivery.ids);
        if (seen.length >= wanted) break;
      }
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const { events } = await collect(store.readAll({ after: 0n, filter: { orgId } }));
    expect(seen).to.deep.equal(idsOf(events));
    expect(seen).to.have.members(await writing);
  });

  it('loses and doubles nothing while its connections are terminated', async () => {
    const orgId = randomUUID();
    let total = Infinity;
    const following = follow(store, 0n, orgId, () => total);
    const stop = new AbortController();
    const terminating = terminateAll(db, stop.signal);
    const written = (
      await Promise.all(Array.from({ length: 8 }, () => writeStubbornly(store, orgId)))
    ).flat();
    stop.abort();
    expect(await terminating).to.be.greaterThan(5);
    total = written.length;
    await appendStubbornly(store, uniqueStream(), sampleEvents(1));
    expectComplete(await following, written);
  });
});

/** Transactions that append and roll back, and ones that have written elsewhere and stay open. Answers how many. */
const disturb = async (db: TestDatabase, signal: AbortSignal): Promise<number> => {
  const client = new pg.Client({ connectionString: db.url });
  const idle = new pg.Client({ connectionString: db.url });
  await Promise.all([client.connect(), idle.connect()]);
  await idle.query('CREATE TABLE elsewhere (n int)');
  let count = 0;
  for (; !signal.aborted; count++) {
    await idle.query('BEGIN; INSERT INTO elsewhere VALUES (1)');
    await client.query('BEGIN');
    await client.query(
      `SELECT append_events(ARRAY['gone-' || $1], ARRAY[0]::bigint[], ARRAY['gone-' || $1], ARRAY[0]::bigint[],
         ARRAY[$2::uuid], ARRAY['Gone'], ARRAY[$2::uuid], ARRAY['{}'::json], ARRAY[$3::json])`,
      [String(count), randomUUID(), JSON.stringify(sampleMetadata())],
    );
    await sleep(10);
    await client.query('ROLLBACK');
    await sleep(20);
    await idle.query('COMMIT');
  }
  await Promise.all([client.end(), idle.end()]);
  return count;
};

const terminateAll = async (db: TestDatabase, signal: AbortSignal): Promise<number> => {
  const killer = new pg.Client({ connectionString: db.url });
  await killer.connect();
  let killed = 0;
  while (!signal.aborted) {
    const { rowCount } = await killer.query(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    killed += rowCount ?? 0;
    await sleep(40);
  }
  await killer.end();
  return killed;
};

/** As a command handler would: an unknown outcome is met by the same append again. */
const appendStubbornly = async (store: PgEventStore, stream: string, events: NewEvent[]): Promise<void> => {
  for (let attempt = 1; ; attempt++)
    try {
      await store.append(stream, 'no_stream', events);
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(10);
    }
};

const writeStubbornly = async (store: PgEventStore, orgId: string): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < 40; i++) {
    const events = sampleEvents(2, { orgId });
    await appendStubbornly(store, uniqueStream(), events);
    ids.push(...idsOf(events));
    await sleep(5);
  }
  return ids;
};
