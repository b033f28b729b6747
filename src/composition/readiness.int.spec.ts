import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { sampleEvents } from '../../test/support/eventSamples.js';
import { esdbFixture } from '../../test/support/eventStoreDb/fixture.js';
import type { ServeRole } from '../cli/services.js';
import { readConfig } from '../config.js';
import type { EventStore } from '../events/eventStore.js';
import { PgEventStore } from '../infra/eventStore/pgEventStore.js';
import { DomainError } from '../kernel/errors.js';
import { silentLogger as logger } from '../kernel/logger.js';
import { ProjectionEngine } from '../projections/engine/engine.js';
import { projections } from '../projections/index.js';
import { readiness } from './readiness.js';
import { RoleStates } from './roleStates.js';

/** Less than the client of a silent broker waits. */
const ANSWER_MS = 1_500;
const ORG = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

describe('readiness', () => {
  let db: TestDatabase;
  const esdb = esdbFixture();
  let store: EventStore;
  let engine: ProjectionEngine;
  const open = async (options: { readonly migrated?: boolean } = {}): Promise<void> => {
    db = await createTestDatabase(options);
    store = new PgEventStore({ pool: db.pool });
    engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
  };
  afterEach(async () => {
    await store.close();
    await db.drop();
  });
  const parts = (roles: readonly ServeRole[] = ['api']) => {
    const states = new RoleStates();
    states.begin(roles);
    return { config: readConfig({}), database: { url: db.url, pool: db.pool }, engine, store, states };
  };
  const ask = (options: Parameters<typeof readiness>[1] = {}) => readiness(parts(), options)();
  const failed = async (options = {}) => (await ask(options)).filter(({ ok }) => !ok);

  it('wants the migrations, and says so once', async () => {
    await open({ migrated: false });
    const checks = await ask();
    expect(checks.map(({ name, ok }) => [name, ok])).to.deep.equal([
      ['database', true],
      ['migrations', false],
    ]);
  });

  it('answers in time when the database does not', async () => {
    await open();
    const locking = await db.pool.connect();
    await locking.query('BEGIN; LOCK TABLE knex_migrations IN ACCESS EXCLUSIVE MODE');
    const checks = await ask({ answerMs: 50 });
    await locking.query('ROLLBACK');
    locking.release();
    expect(checks).to.deep.equal([
      { name: 'database', ok: false, required: true, detail: 'does not answer in time' },
    ]);
  });

  it('wants the tables of the read models', async () => {
    await open();
    expect((await failed()).map(({ required }) => required)).to.deep.equal(projections.map(() => true));
    await engine.ensure();
    expect(await failed()).to.deep.equal([]);
  });

  it('tells of read models that stand still, without the words of the database, and asks nobody to leave', async () => {
    await open();
    await engine.ensure();
    const error = { position: '7', event_id: ORG, type: 'PaymentFailed', message: 'value "canary" is wrong' };
    await db.pool.query(`UPDATE projection_generations SET error = $1 WHERE name = 'recoveries'`, [error]);
    await engine.pause('payments');
    const checks = await failed();
    expect(checks.map(({ required }) => required)).to.deep.equal([false, false]);
    expect(JSON.stringify(checks))
      .to.contain('failed at PaymentFailed, position 7')
      .and.contain('paused')
      .and.not.contain('canary');
  });

  it('wants running read models to keep up', async () => {
    await open();
    await engine.ensure();
    await store.append(`payment-${ORG}`, 'no_stream', sampleEvents(1, { orgId: ORG, type: 'PaymentFailed' }));
    expect(await failed()).to.deep.equal([]);
    const behind = await failed({ maxLagSeconds: 0 });
    expect(behind.map(({ required }) => required)).to.deep.equal(projections.map(() => true));
  });

  it('wants them to keep up with a log in EventStoreDB, too', async () => {
    db = await createTestDatabase();
    const { url } = await esdb.server();
    const log = (store = esdb.store(url));
    engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
    await engine.ensure();
    expect(await failed()).to.deep.equal([]);
    await log.append(`payment-${ORG}`, 'no_stream', sampleEvents(1, { orgId: ORG, type: 'PaymentFailed' }));
    expect(await failed({ maxLagSeconds: 60 })).to.deep.equal([]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await failed({ maxLagSeconds: 0 })).length).to.equal(projections.length);
  });

  it('does not take a log for the database that falls silent while it is asked', async () => {
    db = await createTestDatabase();
    const { url } = await esdb.server();
    store = esdb.store(url);
    engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
    await engine.ensure();
    await store.append(`payment-${ORG}`, 'no_stream', sampleEvents(1, { orgId: ORG, type: 'PaymentFailed' }));
    store.lag = () => Promise.reject(new DomainError('unavailable', 'away'));
    const config = readConfig({ EVENTSTORE_URL: url });
    const checks = await readiness({ ...parts(), config })();
    expect(checks.map(({ name, ok, required }) => [name, ok, required])).to.deep.equal([
      ['database', true, true],
      ['migrations', true, true],
      ['event store', false, false],
    ]);
  });

  it('does not take a log for the database that answers nothing at all', async () => {
    await open();
    await engine.ensure();
    store.head = () => new Promise(() => undefined);
    const config = readConfig({ EVENTSTORE_URL: 'esdb://localhost' });
    const checks = await readiness({ ...parts(), config }, { answerMs: ANSWER_MS })();
    expect(checks.map(({ name, ok, required }) => [name, ok, required])).to.deep.equal([
      ['database', true, true],
      ['migrations', true, true],
      ['event store', false, false],
    ]);
  });

  it('does not take a broker for the database that answers nothing at all', async () => {
    await open();
    await engine.ensure();
    const broker = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(broker, 'listening');
    const { port } = broker.address() as AddressInfo;
    const config = readConfig({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    const checks = await readiness({ ...parts(['api', 'saga']), config }, { answerMs: ANSWER_MS })();
    broker.close();
    expect(checks.filter(({ ok, required }) => required && !ok)).to.deep.equal([]);
    expect(checks.find(({ name }) => name === 'Kafka')).to.include({ ok: false, required: false });
  });

  it('tells of the roles, and requires what they need where there is no API', async () => {
    await open();
    const states = (roles: readonly ServeRole[]) => readiness(parts(roles))();
    const alone = await states(['saga', 'scheduler']);
    expect(alone.map(({ name, required }) => [name, required])).to.deep.equal([
      ['database', true],
      ['migrations', true],
      ['role saga', true],
      ['role scheduler', true],
    ]);
    expect(alone.at(2)).to.include({ ok: false, detail: 'starting, 0 events behind' });
    const beside = (await states(['api', 'saga'])).find(({ name }) => name === 'role saga');
    expect(beside).to.include({ ok: false, required: false });
  });

  it('asks the database once for many who ask, and says once that it does not answer', async () => {
    await open();
    await engine.ensure();
    const isReady = readiness(parts(), { keptMs: 60_000 });
    const first = await isReady();
    await db.pool.end();
    expect(await isReady()).to.equal(first);
    expect(await ask()).to.deep.equal([
      { name: 'database', ok: false, required: true, detail: 'does not answer' },
    ]);
  });
});
