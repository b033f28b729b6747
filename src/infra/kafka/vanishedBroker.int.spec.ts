import type { Admin } from 'kafkajs';
import { BusWorld, triggersOf, until } from '../../../test/support/eventBusContract.js';
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

  const patience = { connectionTimeout: 2_000, requestTimeout: 2_000, retry: { retries: 1 } };
  const far = () => ({ brokers: [`127.0.0.1:${proxy.port}`], topic: uniqueTopic(), partitions: 1, patience });

  it('is written to by the relay again once new connections reach it, while the old ones stay silent', async function () {
    this.timeout(90_000);
    const place = far();
    await startKafkaBus(world, place);
    const published = async (): Promise<number> =>
      Number((await admin.fetchTopicOffsets(place.topic))[0]?.high);
    await world.fail('a', 't1');
    await until(async () => (await published()) === 1);
    proxy.vanish();
    await world.fail('a', 't2');
    await until(async () => (await published()) > 1, 60_000);
  });

  it('is read from by the saga again, too', async function () {
    this.timeout(120_000);
    const { bus } = await startKafkaBus(world, far());
    const consumer = world.consume(bus());
    await world.fail('a', 't3');
    await until(() => triggersOf(consumer.seen).includes('t3'), 30_000);
    proxy.vanish();
    await world.fail('a', 't4');
    await until(() => triggersOf(consumer.seen).includes('t4'), 60_000);
  });
});
