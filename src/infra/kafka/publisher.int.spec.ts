import type { Admin } from 'kafkajs';
import { BusWorld, until } from '../../../test/support/eventBusContract.js';
import { FaultyProxy } from '../../../test/support/faultyProxy.js';
import { somePort, TestBroker } from '../../../test/support/kafka/broker.js';
import { startKafkaBus } from '../../../test/support/kafka/bus.js';
import { describeOwnKafka, uniqueTopic } from '../../../test/support/kafka/forTests.js';
import { rawKafka } from '../../../test/support/kafka/raw.js';

describeOwnKafka('a broker behind a network that fails', () => {
  let broker: TestBroker;
  let proxy: FaultyProxy;
  let world: BusWorld;
  let admin: Admin;
  before(async function () {
    this.timeout(120_000);
    const port = await somePort();
    proxy = new FaultyProxy(port);
    await proxy.start();
    const listener = { name: 'FAR', protocol: 'PLAINTEXT', port, advertised: proxy.port } as const;
    broker = await TestBroker.start({ listeners: [listener] });
    world = await BusWorld.create();
    admin = rawKafka([broker.address]).admin();
    await admin.connect();
  });
  after(async function () {
    this.timeout(60_000);
    await world.close();
    await admin.disconnect();
    await proxy.stop();
    await broker.stop();
  });

  it('is written to by the relay again once new connections reach it, while the old ones stay silent', async function () {
    this.timeout(90_000);
    const topic = uniqueTopic();
    const patience = { connectionTimeout: 2_000, requestTimeout: 2_000, retry: { retries: 1 } };
    await startKafkaBus(world, { brokers: [`127.0.0.1:${proxy.port}`], topic, partitions: 1, patience });
    const published = async (): Promise<number> => Number((await admin.fetchTopicOffsets(topic))[0]?.high);
    await world.fail('a', 't1');
    await until(async () => (await published()) === 1);
    proxy.vanish();
    await world.fail('a', 't2');
    await until(async () => (await published()) > 1, 60_000);
  });
});
