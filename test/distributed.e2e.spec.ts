/** The log in EventStoreDB and the bus on Kafka at once, each role by itself: from a failed payment to its recovery. */
import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliServices, type ServeRole, serveRoles } from '../src/cli/services.js';
import { settlePort } from '../src/composition/port.js';
import { type Config, readConfig } from '../src/config.js';
import { ManualClock } from '../src/infra/systemClock.js';
import { silentLogger } from '../src/kernel/logger.js';
import { compose } from '../src/main.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { atRest, digests, eventually, untilCaughtUp } from './support/engine.js';
import { type EventStoreDbDouble, startEventStoreDb } from './support/eventStoreDb/double.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from './support/kafka/forTests.js';
import { Merchant } from './support/merchant.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

describeKafka('the roles on EventStoreDB and Kafka', () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const topic = uniqueTopic();
  const merchant = new Merchant(() => `http://127.0.0.1:${config.port}`, clock);
  const processes: CliServices[] = [];
  const serving: Promise<void>[] = [];
  let log: EventStoreDbDouble;
  let db: TestDatabase;
  let dir: string;
  let config: Config;

  const start = async (role: ServeRole): Promise<void> => {
    const services = await compose(config, 'serve', { clock, roles: [role] });
    processes.push(services);
    serving.push(services.serve({ roles: [role], signal: stop.signal }));
  };

  before(async function () {
    this.timeout(60_000);
    [log, db] = [await startEventStoreDb(), await createTestDatabase()];
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-distributed-'));
    const wanted = readConfig({
      DATABASE_URL: db.url,
      DATABASE_POOL_SIZE: '10',
      DATA_DIR: dir,
      PORT: '0',
      HEALTH_PORT: '0',
      LOG_LEVEL: 'silent',
      EVENTSTORE_URL: log.url,
      KAFKA_BROKERS: (await kafkaBrokers()).join(),
      KAFKA_TOPIC: topic,
      KAFKA_TOPIC_PARTITIONS: '3',
    });
    config = await settlePort(wanted);
    for (const role of serveRoles) await start(role);
    const ready = () => merchant.call('/readyz').catch(() => undefined);
    await eventually(async () => (await ready())?.status === 200);
  });

  after(async function () {
    this.timeout(60_000);
    stop.abort();
    const ends = await Promise.allSettled(serving);
    for (const services of processes) await services.close();
    await log.close();
    await db.drop();
    await rm(dir, { recursive: true, force: true });
    expect(ends.map(({ status }) => status)).to.deep.equal(serveRoles.map(() => 'fulfilled'));
  });

  it('take payments to their recovery, over a restart of the event store', async function () {
    this.timeout(90_000);
    expect((await merchant.register('both')).status).to.equal(201);
    expect((await merchant.report('before')).status).to.equal(202);
    await log.stop(); // with that on its way
    const refused = await merchant.report('after');
    expect([refused.status, refused.body['code']]).to.deep.equal([503, 'unavailable']);
    await log.start();
    await eventually(async () => (await merchant.report('after')).status === 202);
    for (const ref of ['before', 'after']) await merchant.recovered(ref);
  });

  it('heard of them over Kafka, from the log in EventStoreDB alone', async () => {
    const { rows } = await db.pool.query<{ consumer_group: string; position: string }>(
      'SELECT consumer_group, position FROM bus_checkpoints',
    );
    expect(rows.map(({ consumer_group }) => consumer_group)).to.deep.equal([`relay:${topic}`]);
    expect(BigInt(rows[0]?.position ?? 0) > 0n).to.equal(true);
    expect((await db.pool.query('SELECT FROM events')).rowCount).to.equal(0);
  });

  it('leave read models equal to a rebuild, byte by byte', async function () {
    this.timeout(60_000);
    const [{ store }] = processes as [CliServices];
    const engine = new ProjectionEngine({ store, pool: db.pool, projections, logger: silentLogger });
    await atRest(store);
    await untilCaughtUp(engine);
    const live = await digests(db.pool, engine);
    await engine.rebuild('all');
    expect(await digests(db.pool, engine)).to.deep.equal(live);
  });
});
