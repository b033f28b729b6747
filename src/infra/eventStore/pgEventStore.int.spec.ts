import { expect } from 'chai';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { eventStoreContract } from '../../../test/support/eventStoreContract.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import type { NewEvent } from '../../events/envelope.js';
import type { FaultPoint } from '../../kernel/faults.js';
import { silentLogger } from '../../kernel/logger.js';
import { createPool } from '../postgres/pool.js';
import { PgEventStore } from './pgEventStore.js';

eventStoreContract('PgEventStore', async () => {
  const db = await createTestDatabase();
  const emptyDb = await createTestDatabase();
  // What has to end or go on at once does so without the next poll.
  const store = new PgEventStore({ pool: db.pool, pollMs: 60_000 });
  const empty = new PgEventStore({ pool: emptyDb.pool });
  const stop = async () => {
    await Promise.all([store.close(), empty.close()]);
    await Promise.all([db.drop(), emptyDb.drop()]);
  };
  return { store, empty, stop };
});

const sqlStateOf = async (query: Promise<unknown>): Promise<unknown> =>
  query.then(
    () => 'succeeded',
    (error: unknown) => (error as { code?: unknown }).code,
  );

describe('PgEventStore', function () {
  this.timeout(60_000);
  let db: TestDatabase;
  let store: PgEventStore;
  before(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  after(async () => {
    await store.close();
    await db.drop();
  });

  it('refuses to change, remove or empty the log, even for its owner', async () => {
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1));
    for (const sql of [
      "UPDATE events SET type = 'x'",
      'UPDATE events SET type = type WHERE false',
      'DELETE FROM events',
      'TRUNCATE events',
      'DELETE FROM event_log_head',
      'TRUNCATE event_log_head',
      'UPDATE event_log_head SET position = 0',
    ])
      expect(await sqlStateOf(db.pool.query(sql)), sql).to.equal('42501');
  });

  it('works for a role that may only read and call append_events', async () => {
    const role = `app_${randomBytes(4).toString('hex')}`;
    const password = randomBytes(8).toString('hex');
    await db.pool.query(`
      CREATE ROLE ${role} LOGIN PASSWORD '${password}';
      GRANT SELECT ON events, event_log_head TO ${role};
      GRANT EXECUTE ON FUNCTION append_events TO ${role}`);
    const url = Object.assign(new URL(db.url), { username: role, password });
    const pool = createPool({ url: url.href, max: 4, logger: silentLogger });
    const restricted = new PgEventStore({ pool });
    const orgId = randomUUID();
    await restricted.append(uniqueStream(), 'no_stream', sampleEvents(2, { orgId }));
    const { events } = await collect(restricted.subscribe({ after: 0n, filter: { orgId } }));
    expect(events).to.have.length(2);
    for (const sql of ['INSERT INTO events DEFAULT VALUES', 'UPDATE event_log_head SET position = 0'])
      expect(await sqlStateOf(pool.query(sql))).to.equal('42501');
    await restricted.close();
    await pool.end();
    await db.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('gives up on a stuck lock once for all that wait, and goes on when it is free', async () => {
    const pool = createPool({ url: db.url, max: 2, logger: silentLogger, statementTimeoutMs: 300 });
    const impatient = new PgEventStore({ pool });
    const blocker = await db.pool.connect();
    await blocker.query('BEGIN; SELECT FROM event_log_head FOR UPDATE');
    let statements = 0;
    const count = () => void statements++;
    pool.on('acquire', count);
    const stuck = Array.from({ length: 8 }, () =>
      sqlStateOf(impatient.append(uniqueStream(), 'no_stream', sampleEvents(1))),
    );
    expect(new Set(await Promise.all(stuck))).to.deep.equal(new Set(['57014']));
    expect(statements).to.be.at.most(3);
    await blocker.query('ROLLBACK');
    blocker.release();
    await impatient.append(uniqueStream(), 'no_stream', sampleEvents(1));
    await impatient.close();
    await pool.end();
  });

  it('keeps \\u0000 and lone surrogates as they were written; readers that need jsonb must refuse them', async () => {
    const stream = uniqueStream();
    const [event] = sampleEvents(1) as [NewEvent];
    const data = { text: 'a\u0000b', lone: '\ud800' };
    await store.append(stream, 'no_stream', [{ ...event, data }]);
    const [read] = await flatten(store.readStream(stream));
    expect(read?.data).to.deep.equal(data);
    const [line] = await flatten(store.readLines({ after: 0n, filter: { stream } }));
    expect((JSON.parse(line as string) as { data: unknown }).data).to.deep.equal(data);
    const asJsonb = 'SELECT data::jsonb FROM events WHERE stream_id = $1';
    expect(await sqlStateOf(db.pool.query(asJsonb, [stream]))).to.be.oneOf(['22P05', '22P02']);
    const named = store.append('a\0b', 'no_stream', sampleEvents(1));
    expect(await named.catch((error: unknown) => error)).to.be.instanceOf(RangeError);
  });

  it('takes an append bigger than a batch, between small ones', async () => {
    const appends = [sampleEvents(1), sampleEvents(2500), sampleEvents(1)];
    const results = await Promise.all(
      appends.map((events) => store.append(uniqueStream(), 'no_stream', events)),
    );
    expect(results.map(({ revision }) => revision)).to.deep.equal([0n, 2499n, 0n]);
  });

  it('lets one bad append fail alone', async () => {
    await db.pool.query("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (type <> 'Poison')");
    const types = Array.from({ length: 10 }, (_, i) => (i === 5 ? 'Poison' : 'Sampled'));
    const results = await Promise.allSettled(
      types.map((type) => store.append(uniqueStream(), 'no_stream', sampleEvents(1, { type }))),
    );
    expect(results.map(({ status }) => status === 'rejected')).to.deep.equal(
      types.map((type) => type === 'Poison'),
    );
  });

  it('answers with the first result when the process fails on either side of the commit', async () => {
    for (const point of ['append:before', 'append:after'] as const) {
      const before = await store.head();
      let failures = 0;
      const faults = (at: FaultPoint) => {
        if (at === point && failures++ === 0) throw new Error('the connection broke');
      };
      const faulty = new PgEventStore({ pool: db.pool, faults });
      const result = await faulty.append(uniqueStream(), 'no_stream', sampleEvents(3));
      expect(failures).to.equal(2);
      expect(result).to.deep.equal({ revision: 2n, position: before + 3n });
      expect(await store.head()).to.equal(before + 3n);
      await faulty.close();
    }
  });

  it('settles what is queued before it closes, and takes nothing afterwards', async () => {
    const closing = new PgEventStore({ pool: db.pool });
    const appends = Array.from({ length: 50 }, () =>
      closing.append(uniqueStream(), 'no_stream', sampleEvents(1)),
    );
    await closing.close();
    await Promise.all(appends);
    const late = closing.append(uniqueStream(), 'no_stream', sampleEvents(1));
    expect(await late.catch((error: Error) => error.message)).to.equal('the event store is closed');
  });

  it('serves a slow subscriber that falls out of the ring, and a fast one, alike', async () => {
    const orgId = randomUUID();
    const after = await store.head();
    const read = async (pause: number): Promise<string[]> => {
      const ids: string[] = [];
      for await (const delivery of store.subscribe({ after, filter: { orgId }, pageSize: 500 })) {
        if (delivery.kind === 'events') ids.push(...idsOf(delivery.events));
        if (ids.length >= 20_000) break;
        await sleep(pause);
      }
      return ids;
    };
    const reading = [read(0), read(60)];
    const written: string[] = [];
    for (let i = 0; i < 20; i++) {
      const events = sampleEvents(1000, { orgId });
      await store.append(uniqueStream(), 'no_stream', events);
      written.push(...idsOf(events));
    }
    for (const ids of await Promise.all(reading)) expect(ids).to.deep.equal(written);
  });
});

/** Each statement the store sends, with its plan as a prepared statement runs it (any values). */
const plansOf = async (
  db: TestDatabase,
  act: (store: PgEventStore) => Promise<unknown>,
): Promise<string[]> => {
  const sent: { name: string; text: string; values: unknown[] }[] = [];
  const query = (config: (typeof sent)[number]) => {
    sent.push(config);
    return db.pool.query(config as pg.QueryConfig);
  };
  await act(new PgEventStore({ pool: { query } as unknown as pg.Pool }));
  const client = await db.pool.connect();
  await client.query('SET plan_cache_mode = force_generic_plan');
  const plans: string[] = [];
  for (const [index, { text, values }] of sent.entries()) {
    const types = values.map(typeOf).join(', ');
    await client.query(`PREPARE p${index} ${types && `(${types})`} AS ${text}`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN EXECUTE p${index} ${values.length > 0 ? `(${values.map(literal).join(', ')})` : ''}`,
    );
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
  }
  client.release(true);
  return plans;
};
const typeOf = (value: unknown) => (Array.isArray(value) ? 'text[]' : 'unknown');
const literal = (value: unknown) => (Array.isArray(value) ? `'{${value.join()}}'` : `'${String(value)}'`);

describe('PgEventStore query plans', function () {
  this.timeout(60_000);
  const orgs = Array.from({ length: 5 }, () => randomUUID());
  let db: TestDatabase;
  before(async () => {
    db = await createTestDatabase();
    const store = new PgEventStore({ pool: db.pool });
    const appends = Array.from({ length: 2000 }, (_, i) =>
      store.append(
        uniqueStream(),
        'no_stream',
        sampleEvents(10, { orgId: orgs[i % 100 === 0 ? 1 : 0] as string }),
      ),
    );
    await Promise.all(appends);
    await store.close();
    await db.pool.query('ANALYZE events');
  });
  after(() => db.drop());

  const byPosition = 'Index Scan using events_pkey';
  const byStream = 'Index Scan using events_stream_id_revision_key';
  const byOrg = 'Index Scan using events_org_id_position';
  const cases: [string, string, (store: PgEventStore) => Promise<unknown>][] = [
    ['a stream', byStream, (store) => flatten(store.readStream('sample-1'))],
    ['the whole log', byPosition, (store) => page(store, {})],
    ['the log by type', byPosition, (store) => page(store, { types: ['Sampled'] })],
    ['the log of an organization', byOrg, (store) => page(store, { orgId: orgs[1] as string })],
    ['the log of a stream', byStream, (store) => page(store, { stream: 'sample-1' })],
    ['facts', byPosition, (store) => facts(store, {})],
    ['the facts of an organization', byOrg, (store) => facts(store, { orgId: orgs[1] as string })],
    ['lines', byPosition, (store) => flatten(store.readLines({ after: 0n, until: 10n }))],
    ['the lag', byPosition, (store) => store.lag(0n, ['Sampled'], 100)],
  ];
  for (const [what, index, act] of cases)
    it(`reads ${what} by its index`, async () => {
      const plans = (await plansOf(db, act)).filter((plan) => !plan.includes('event_log_head'));
      expect(plans).not.to.have.length(0);
      for (const plan of plans) {
        expect(plan).to.include(index);
        expect(plan).not.to.include('Seq Scan');
        expect(plan).not.to.include('Sort');
      }
    });
});

const page = (store: PgEventStore, filter: { types?: string[]; orgId?: string; stream?: string }) =>
  collect(store.readAll({ after: 0n, until: 1000n, filter }));
const facts = (store: PgEventStore, filter: { types?: string[]; orgId?: string }) =>
  collect(store.readFacts({ after: 0n, until: 1000n, filter, attributed: ['Sampled'] }));
