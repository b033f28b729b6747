import { expect } from 'chai';
import { Kafka, logLevel } from 'kafkajs';
import { describeOwnKafka, sharedBroker, uniqueTopic } from '../../../test/support/kafka/forTests.js';

describeOwnKafka('the broker that the tests start', () => {
  it('keeps what it acknowledged when it is killed and started again', async function () {
    this.timeout(120_000);
    const broker = await sharedBroker();
    const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
    const topic = uniqueTopic();
    const [admin, producer] = [kafka.admin(), kafka.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await producer.send({ topic, acks: -1, messages: [{ value: 'kept' }] });
    await broker.kill();
    await broker.restart();
    const [offsets] = await admin.fetchTopicOffsets(topic);
    expect(offsets?.high).to.equal('1');
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
});
