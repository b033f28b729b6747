import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Admin } from 'kafkajs';
import { BusWorld, GROUP, triggerOf, triggersOf, until } from '../../../test/support/eventBusContract.js';
import { TestBroker } from '../../../test/support/kafka/broker.js';
import { startKafkaBus } from '../../../test/support/kafka/bus.js';
import { describeOwnKafka, uniqueTopic } from '../../../test/support/kafka/forTests.js';
import { leadersAnswer, rawKafka } from '../../../test/support/kafka/raw.js';
import {
  INSTALLATION,
  type ScriptedConsumer,
  scriptedKafka,
  TOPIC,
} from '../../../test/support/kafka/scriptedConsumer.js';
import { readEvents } from '../../../test/support/systemLog.js';
import type { PublicMessage } from '../../events/integration/message.js';
import { toPublicMessage } from '../../events/integration/toPublicMessage.js';
import { upcast } from '../../events/registry.js';
import { noFaults } from '../../kernel/faults.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { installationOf } from '../postgres/installation.js';
import { KafkaEventBus } from './kafkaEventBus.js';
import { groupOf } from './sharedTopic.js';

describe('the consumers of a KafkaEventBus', () => {
  let world: BusWorld;
  let messages: PublicMessage[];
  let consumers: ScriptedConsumer[];
  let bus: KafkaEventBus;
  before(async () => {
    world = await BusWorld.create();
    for (let i = 0; i < 4; i++) await world.fail(`ref-${i}`, `t${i}`);
    const events = await readEvents(world.db);
    messages = events.map((event) => toPublicMessage(upcast(event))).filter((one) => one !== undefined);
  });
  beforeEach(() => {
    const scripted = scriptedKafka();
    consumers = scripted.consumers;
    const { store, db } = world;
    const kafka = { kafka: scripted.kafka, topic: TOPIC, installation: INSTALLATION, partitions: 1 };
    bus = new KafkaEventBus({ ...kafka, store, pool: db.pool, logger, faults: noFaults });
  });
  after(() => world.close());

  const running = async (count: number): Promise<ScriptedConsumer> => {
    await until(() => consumers.length >= count && consumers[count - 1]?.running === true);
    return consumers[count - 1] as ScriptedConsumer;
  };

  it('commits nothing on the word of a batch that was fetched for an earlier generation', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const worker = world.consume(bus, (message) => (triggerOf(message) < 't2' ? held : Promise.resolve()));
    const first = await running(1);
    first.join('member', [0]);
    await first.deliver(0, 0, messages.slice(0, 2)); // in hand, and nothing is committed
    const fetched = first.fetch(2);
    first.fetch(1); // meets a leader that has moved, and joins again; the group knows us no longer
    first.join('another member', [0]);
    fetched();
    await first.deliver(0, 2, messages.slice(2));
    release();
    await until(() => first.commits.length > 0 || consumers.length > 1);
    expect(first.commits).to.deep.equal([]);

    const second = await running(2);
    second.join('a third member', [0]);
    await second.deliver(0, 0, messages);
    await until(() => second.commits.at(-1)?.offset === '4');
    expect(triggersOf(worker.seen)).to.include.members(['t0', 't1', 't2', 't3']);
    await worker.stop();
  });

  it('goes on with what it has in hand when nothing was being fetched', async () => {
    const worker = world.consume(bus, () => sleep(20));
    const first = await running(1);
    first.join('member', [0]);
    first.fetch(1)();
    await first.deliver(0, 0, messages.slice(0, 2));
    first.join('member', [0]);
    first.fetch(1)();
    await first.deliver(0, 0, messages);
    await until(() => first.commits.at(-1)?.offset === '4');
    expect(triggersOf(worker.seen)).to.have.members(['t0', 't1', 't2', 't3']);
    await worker.stop();
    expect(consumers).to.have.length(1);
  });

  it('does not wait for a broker that gives no answer any more', async () => {
    const worker = world.consume(bus, async () => {
      if (consumers.length > 1) return;
      consumers[0]?.vanish();
      await Promise.resolve();
    });
    const first = await running(1);
    first.join('member', [0]);
    await first.deliver(0, 0, messages.slice(0, 1));
    const second = await running(2);
    second.join('another member', [0]);
    await second.deliver(0, 0, messages);
    await until(() => second.commits.at(-1)?.offset === '4');
    expect(first.commits).to.deep.equal([]);
    await worker.stop();
  });
});

describeOwnKafka('KafkaEventBus on two brokers', () => {
  const brokers: TestBroker[] = [];
  let world: BusWorld;
  let admin: Admin;
  let topic: string;
  before(async function () {
    this.timeout(200_000);
    const first = await TestBroker.start();
    brokers.push(first, await TestBroker.start({ joins: first.cluster }));
    [world, topic] = [await BusWorld.create(), uniqueTopic()];
    admin = rawKafka([first.address]).admin();
    await admin.connect();
    await until(async () => (await admin.describeCluster()).brokers.length === 2, 60_000);
  });
  after(async function () {
    this.timeout(60_000);
    await world.close();
    await admin.disconnect();
    for (const broker of brokers.reverse()) await broker.stop();
  });

  const led = (nodes: readonly number[]) => nodes.map((node, partition) => ({ partition, replicas: [node] }));
  const groupId = async (): Promise<string> => groupOf(GROUP, await installationOf(world.db.pool));
  const member = async (): Promise<string | undefined> =>
    (await admin.describeGroups([await groupId()])).groups[0]?.members[0]?.memberId;

  it('begins anew, and hands everything over, when the leaders of its partitions change places', async function () {
    this.timeout(90_000);
    const addresses = brokers.map(({ address }) => address);
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, replicaAssignment: led([1, 2]) }] });
    await until(() => leadersAnswer(rawKafka(addresses), topic), 30_000);
    const { bus } = await startKafkaBus(world, { brokers: addresses, topic, partitions: 2 });
    const consumer = world.consume(bus(), () => sleep(10));
    const send = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) await world.fail(`ref-${i % 20}`, `t${i}`);
    };
    await send(0, 200);
    await until(() => consumer.seen.length > 0);
    const before = await member();
    const sending = send(200, 600);
    const partitionAssignment = led([2, 1]);
    await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
    await sending;
    await until(() => new Set(triggersOf(consumer.seen)).size === 600, 60_000);
    await until(async () => (await committed()) === (await published()), 30_000);
    expect(await member()).to.not.equal(before);
  });

  const sum = (offsets: readonly { readonly offset: string }[]): number =>
    offsets.reduce((total, { offset }) => total + Number(offset), 0);
  const published = async (): Promise<number> => sum(await admin.fetchTopicOffsets(topic)); // copies among them
  const committed = async (): Promise<number> =>
    sum(
      (await admin.fetchOffsets({ groupId: await groupId(), topics: [topic] })).flatMap(
        ({ partitions }) => partitions,
      ),
    );
});
