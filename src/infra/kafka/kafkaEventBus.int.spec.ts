import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { startKafkaBus } from '../../../test/support/kafka/bus.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from '../../../test/support/kafka/forTests.js';
import { consumeRaw, leadersAnswer, produceRaw, rawKafka } from '../../../test/support/kafka/raw.js';
import {
  BusWorld,
  eventBusContract,
  GROUP,
  triggerOf,
  triggersOf,
  until,
} from '../../../test/support/eventBusContract.js';
import { sourceOf } from '../../events/integration/cloudEvents.js';
import { ParkedMessages } from '../bus/parkedMessages.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { groupOf } from './sharedTopic.js';
import { ensureTopic, TopicMissing } from './topic.js';

describeKafka('KafkaEventBus, fed by the relay', () => {
  eventBusContract(async (world) => {
    const { bus } = await startKafkaBus(world, { brokers: await kafkaBrokers(), topic: uniqueTopic() });
    return bus;
  });
});

describeKafka('KafkaEventBus on its broker', function () {
  let world: BusWorld;
  let topic: string;
  let brokers: string[];
  beforeEach(async () => {
    world = await BusWorld.create();
    [brokers, topic] = [await kafkaBrokers(), uniqueTopic()];
  });
  afterEach(async function () {
    this.timeout(60_000);
    await world.close();
  });

  it('shares the partitions among instances, through rebalances in the middle of batches', async function () {
    this.timeout(90_000);
    const { bus } = await startKafkaBus(world, { brokers, topic });
    const handled: string[] = [];
    const handle = async (message: Parameters<typeof triggerOf>[0]): Promise<void> => {
      await sleep(3);
      handled.push(triggerOf(message));
    };
    const first = world.consume(bus(), handle);
    const total = 1_200;
    const sending = (async () => {
      for (let i = 0; i < total; i += 12)
        await Promise.all(
          Array.from({ length: 12 }, (_, j) => world.fail(`ref-${(i + j) % 40}`, `t${i + j}`)),
        );
    })();
    await until(() => first.seen.length > 50);
    const second = world.consume(bus(), handle);
    await until(() => second.seen.length > 20, 30_000);
    await first.stop();
    await sending;
    await until(() => new Set(handled).size === total, 40_000);
    expect(handled.length - total, 'copies').to.be.lessThan(400);
    firstsInOrder(handled);
  });

  /** Copies may come later again; what was handled first keeps the order within each payment. */
  const firstsInOrder = (handled: readonly string[]): void => {
    const last = new Map<number, number>();
    for (const number of new Set(handled.map((trigger) => Number(trigger.slice(1))))) {
      const payment = number % 40;
      expect(number, `payment ${payment}`).to.be.greaterThan(last.get(payment) ?? -1);
      last.set(payment, number);
    }
  };

  it('keeps two installations apart that share a topic by mistake, and says so', async function () {
    this.timeout(60_000);
    const other = await BusWorld.create();
    world.onClose(() => other.close());
    const warnings: object[] = [];
    const warn = (fields: object): number => warnings.push(fields);
    const mine = await startKafkaBus(world, { brokers, topic, logger: { ...logger, warn } });
    const theirs = await startKafkaBus(other, { brokers, topic });
    const consumers = [world.consume(mine.bus()), other.consume(theirs.bus())] as const;
    for (let i = 0; i < 20; i++) {
      await world.fail(`ref-${i}`, `mine-${i}`);
      await other.fail(`ref-${i}`, `theirs-${i}`); // the same payment, as in a copy of the other's database
    }
    for (const { seen } of consumers) await until(() => seen.length >= 20, 30_000);
    await world.fail('last', 'mine-20');
    await other.fail('last', 'theirs-20');
    for (const { seen } of consumers) await until(() => seen.length >= 21);
    consumers.forEach(({ seen }, index) => {
      const [sender] = ['mine', 'theirs'].slice(index);
      expect(triggersOf(seen)).to.have.members(Array.from({ length: 21 }, (_, i) => `${sender}-${i}`));
    });
    expect(warnings).to.deep.include({ topic, source: sourceOf(theirs.installation), passed: 1 });
  });

  it('parks a message that cannot be read at once, and flows on', async () => {
    const { bus } = await startKafkaBus(world, { brokers, topic });
    const key = randomUUID();
    await until(() => leadersAnswer(rawKafka(brokers), topic)); // else kafkajs sends some of it twice
    await produceRaw(rawKafka(brokers), topic, [
      { key, value: '{"not":"ours"}' },
      { key, value: '{', headers: { ce_id: 'x\u0000' } },
      { key: null, value: null },
      { key: 'no table holds this\u0000', value: '{' },
      { key: 'nor indexes this '.repeat(1_000), value: '{' },
    ]);
    await world.fail('a', 't1');
    const consumer = world.consume(bus());
    await until(() => triggersOf(consumer.seen).includes('t1'));
    const parked = new ParkedMessages(world.db.pool, { [GROUP]: () => Promise.resolve() });
    const count = async () => (await parked.list()).reduce((sum, { messages }) => sum + messages, 0);
    await until(async () => (await count()) === 5);
    const sequences = await parked.list();
    expect(sequences.map(({ messages }) => messages).sort()).to.deep.equal([1, 1, 1, 2]);
    for (const { reason } of sequences) expect(reason).to.contain('cannot be read');
    const again = await parked.retry(GROUP, key);
    expect(again).to.include({ handled: 0, left: 2 });
    expect(again.reason).to.contain('cannot be read');
    expect(await parked.discard(GROUP, key, 'first')).to.equal(1);
    expect(await parked.discard(GROUP, key, 'all')).to.equal(1);
    for (const left of await parked.list()) expect(left.key).to.match(new RegExp(`^${topic}/\\d+/\\d+$`));
  });

  it('replays the topic from the beginning when its group begins anew', async function () {
    this.timeout(60_000);
    const { bus, installation } = await startKafkaBus(world, { brokers, topic });
    for (let i = 0; i < 10; i++) await world.fail(`ref-${i}`, `t${i}`);
    const first = world.consume(bus());
    await until(() => first.seen.length === 10);
    await first.stop();
    const admin = rawKafka(brokers).admin();
    await admin.connect();
    await admin.deleteGroups([groupOf(GROUP, installation)]);
    await admin.disconnect();
    const second = world.consume(bus());
    await until(() => second.seen.length === 10);
    expect(triggersOf(second.seen)).to.have.members(triggersOf(first.seen));
  });

  it('takes in everything again when the topic is made anew under it', async function () {
    this.timeout(90_000);
    const { bus } = await startKafkaBus(world, { brokers, topic, partitions: 1 });
    const consumer = world.consume(bus());
    for (let i = 0; i < 10; i++) await world.fail(`ref-${i}`, `t${i}`);
    await until(() => consumer.seen.length === 10);
    const admin = rawKafka(brokers).admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] });
    await until(async () => !(await admin.listTopics()).includes(topic));
    const anew = { topic, numPartitions: 1, replicationFactor: 1 };
    await admin.createTopics({ waitForLeaders: false, topics: [anew] });
    await admin.disconnect();
    await world.db.pool.query('UPDATE bus_checkpoints SET position = 0');
    await world.fail('ref-0', 'new'); // the relay learns that it begins anew
    await until(() => consumer.seen.length >= 21, 60_000);
    expect(new Set(triggersOf(consumer.seen.slice(10)))).to.have.property('size', 11);
  });
});

describeKafka('the relay on its broker', () => {
  let world: BusWorld;
  let topic: string;
  beforeEach(async () => {
    [world, topic] = [await BusWorld.create(), uniqueTopic()];
  });
  afterEach(() => world.close());

  it('publishes again, and goes on, when its checkpoint is moved back', async () => {
    const brokers = await kafkaBrokers();
    await startKafkaBus(world, { brokers, topic });
    for (const trigger of ['t1', 't2']) await world.fail('a', trigger);
    await until(async () => (await checkpoint()) > 0);
    await world.db.pool.query('UPDATE bus_checkpoints SET position = 0');
    await world.fail('a', 't3'); // the relay learns with its next step that it is not the last to have moved it
    await until(async () => (await checkpoint()) >= 3);
    const read = await consumeRaw(rawKafka(brokers), topic, 5);
    expect(new Set(read.map(({ partition }) => partition)).size).to.equal(1);
    expect(read.map(({ headers }) => headers['ce_type'])).to.include('stealth-recovery.payment.failed');
    const ids = read.map(({ headers }) => headers['ce_id']);
    expect(new Set(ids).size).to.equal(3);
  });

  const checkpoint = async (): Promise<number> => {
    const { rows } = await world.db.pool.query<{ position: string }>('SELECT position FROM bus_checkpoints');
    return Number(rows[0]?.position ?? 0);
  };
});

describeKafka('the topic', () => {
  const place = { partitions: 3, replication: 1 };
  const going = { logger, signal: new AbortController().signal };

  it('is created when it is missing and we may; otherwise the message says how', async () => {
    const [brokers, topic] = [await kafkaBrokers(), uniqueTopic()];
    const connection = { brokers, clientId: 'test' };
    const kafka = rawKafka(brokers);
    const refused = await ensureTopic(kafka, connection, { ...place, topic, create: false }, going).catch(
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(TopicMissing);
    expect(String(refused)).to.contain(
      `kafka-topics.sh --bootstrap-server ${brokers.join(',')} --create --topic ${topic} --partitions 3 --replication-factor 1`,
    );
    const made = await Promise.all(
      [1, 2].map(() => ensureTopic(kafka, connection, { ...place, topic, create: true }, going)),
    );
    expect(made).to.deep.equal([3, 3]);
    expect(await ensureTopic(kafka, connection, { ...place, topic, create: false }, going)).to.equal(3);
  });
});
