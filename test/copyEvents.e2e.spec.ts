/** `recovery events copy` between real stores, killed in the middle. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { RecordedEvent } from '../src/events/envelope.js';
import type { EventStore } from '../src/events/eventStore.js';
import { EsdbEventStore } from '../src/infra/eventStoreDb/esdbEventStore.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { collect, sampleEvents, sampleMetadata } from './support/eventSamples.js';
import { type EventStoreDbDouble, startEventStoreDb } from './support/eventStoreDb/double.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { startRecovery } from './support/recoveryProcess.js';
import { seedLog } from './support/seedLog.js';

const EVENTS = 4_000;
const STREAMS = 300;

/** Streams mixed with one another; every third event follows its forerunner at once. */
const mixedLog = (): RecordedEvent[] => {
  const streams = Array.from({ length: STREAMS }, () => `payment-${randomUUID()}`);
  const revisions = new Map<string, bigint>();
  return Array.from({ length: EVENTS }, (_, n) => {
    const stream = streams[(n - (n % 3)) % STREAMS] ?? '';
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const data = { n, words: 'Grüße, 支払い "…"\n', nested: { z: [1, 2.5, null], a: true } };
    return {
      id: randomUUID(),
      stream,
      revision,
      position: BigInt(n + 1),
      type: 'Sampled',
      data,
      metadata: sampleMetadata(),
      recorded_at: '2026-11-23T10:00:00.000Z',
    };
  });
};

const kept = async (store: EventStore) =>
  (await collect(store.readAll({ after: 0n, pageSize: 5_000 }))).events.map(
    ({ position: _position, recorded_at: _recorded, ...event }) => event,
  );

describe('recovery events copy', function () {
  this.timeout(120_000);
  const log = mixedLog();
  let double: EventStoreDbDouble;
  let first: TestDatabase;
  let last: TestDatabase;
  before(async () => {
    [double, first, last] = await Promise.all([
      startEventStoreDb(),
      createTestDatabase(),
      createTestDatabase(),
    ]);
    await seedLog(first.pool, log);
  });
  after(async () => {
    await Promise.all([double.close(), first.drop(), last.drop()]);
  });

  const copy = (from: string, to: string, ...args: string[]) =>
    startRecovery(['events', 'copy', '--from', from, '--to', to, ...args]);
  const finished = async (from: string, to: string) => {
    const one = await copy(from, to, '--json');
    expect(await one.ended, one.said).to.equal(0);
    return JSON.parse(one.out) as { events: number; copied: number; sha256: string };
  };
  /** Kills a copy as soon as `count` says that part of it is there. */
  const killed = async (from: string, to: string, count: () => Promise<number>): Promise<void> => {
    const one = await copy(from, to);
    while ((await count()) < EVENTS / 4) await new Promise((resolve) => setTimeout(resolve, 5));
    one.stop('SIGKILL');
    expect(await one.ended, one.said).to.equal(null);
  };
  const inPostgres = async (): Promise<number> =>
    Number(
      (await last.pool.query<{ position: string }>('SELECT position FROM event_log_head')).rows[0]?.position,
    );

  let sha256 = '';

  it('goes from Postgres to EventStoreDB, on from where it was killed', async () => {
    const store = new EsdbEventStore({ url: double.url });
    await killed(first.url, double.url, async () => (await kept(store)).length);
    const there = (await kept(store)).length;
    expect(there).to.be.within(1, EVENTS - 1);
    const result = await finished(first.url, double.url);
    expect(result.events).to.equal(EVENTS);
    expect(result.copied).to.be.within(1, EVENTS - there);
    ({ sha256 } = result);
    expect(await kept(store)).to.deep.equal(
      log.map(({ position: _position, recorded_at: _recorded, ...event }) => event),
    );
    await store.close();
  });

  it('and back to a fresh Postgres, with the same hash', async () => {
    await killed(double.url, last.url, inPostgres);
    const result = await finished(double.url, last.url);
    expect(result).to.include({ events: EVENTS, sha256 });
    const stores = [first, last].map(({ pool }) => new PgEventStore({ pool }));
    const [before, after] = await Promise.all(stores.map(kept));
    expect(after).to.deep.equal(before);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('refuses a target that is another log, and says so', async () => {
    const other = await createTestDatabase();
    const store = new PgEventStore({ pool: other.pool });
    await store.append(`payment-${randomUUID()}`, 'no_stream', sampleEvents(1));
    await store.close();
    const one = await copy(first.url, other.url);
    expect(await one.ended).to.equal(3);
    expect(one.err).to.contain('The source has').and.contain('must be empty');
    await other.drop();
  });

  it('takes addresses from the environment, and repeats none of them', async () => {
    const env = { DATABASE_URL: first.url, EVENTSTORE_URL: double.url };
    const one = await startRecovery(['events', 'copy'], env);
    expect(await one.ended, one.said).to.equal(0);
    expect(one.out).to.contain(`${EVENTS} events are the same in both logs, 0 of them copied now`);
    const wrong = await copy('mysql://user:canary@host/db', double.url);
    expect([await wrong.ended, wrong.said.includes('canary')]).to.deep.equal([2, false]);
  });

  it('says what to do when a server is away', async () => {
    const one = await copy(first.url, 'esdb://127.0.0.1:1?tls=false');
    expect(await one.ended, one.said).to.equal(1);
    expect(one.err).to.contain('run the same command again');
  });
});
