import { expect } from 'chai';
import { BusWorld, until } from '../../test/support/eventBusContract.js';
import { startKafkaBus } from '../../test/support/kafka/bus.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from '../../test/support/kafka/forTests.js';
import { type Config, ConfigError, readConfig } from '../config.js';
import { createKafka } from '../infra/kafka/client.js';
import { groupOf } from '../infra/kafka/sharedTopic.js';
import { ensureTopic, groupsOn } from '../infra/kafka/topic.js';
import { silentLogger as logger } from '../kernel/logger.js';
import { SAGA_GROUP } from '../workers/saga.js';
import { topicOf } from './bus.js';
import { kafkaChecks, thoroughKafkaChecks } from './kafkaChecks.js';
import { kafkaConnection } from './kafkaConnection.js';

const TOO_LONG_MS = 8_000;

const configOf = (env: NodeJS.ProcessEnv): Config => readConfig({ KAFKA_BROKERS: '127.0.0.1:1', ...env });

describe('what doctor finds out about Kafka', () => {
  it('is nothing without Kafka', async () => {
    expect(await kafkaChecks(readConfig({}))).to.deep.equal([]);
  });

  it('is that no broker can be reached, and soon', async () => {
    const started = performance.now();
    const [found, ...others] = await kafkaChecks(configOf({ KAFKA_BROKERS: '127.0.0.1:1,127.0.0.1:2' }));
    expect(found).to.include({ name: 'Kafka', ok: false, severity: 'error' });
    expect(found?.fix).to.contain('KAFKA_BROKERS');
    expect(others).to.deep.equal([]);
    expect(performance.now() - started).to.be.lessThan(TOO_LONG_MS);
  });

  it('is that its settings do not fit together', async () => {
    const failure: unknown = await kafkaChecks(configOf({ KAFKA_SASL_USERNAME: 'me' })).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(ConfigError);
  });

  describeKafka('on a broker', () => {
    let env: NodeJS.ProcessEnv;
    before(async () => {
      env = { KAFKA_BROKERS: (await kafkaBrokers()).join(), KAFKA_TOPIC: uniqueTopic() };
    });
    const topicCheck = async (more: NodeJS.ProcessEnv = {}) =>
      (await kafkaChecks(configOf({ ...env, ...more }))).find(({ name }) => name === 'Kafka topic');

    it('is whether the topic is there, or will be', async () => {
      expect(await topicCheck()).to.include({ ok: true });
      const missing = await topicCheck({ KAFKA_CREATE_TOPICS: 'false' });
      expect(missing).to.include({ ok: false, severity: 'error' });
      expect(missing?.fix).to.contain('kafka-topics.sh');
    });

    it('is whether it has the partitions that are asked for', async () => {
      const config = configOf({ ...env, KAFKA_TOPIC_PARTITIONS: '3' });
      const connection = kafkaConnection(config);
      if (connection === undefined) throw new Error('no connection');
      const kafka = await createKafka(connection, logger);
      const { signal } = new AbortController();
      expect(await ensureTopic(kafka, connection, topicOf(config), { logger, signal })).to.equal(3);
      expect(await topicCheck({ KAFKA_TOPIC_PARTITIONS: '3' })).to.include({ ok: true });
      const fewer = await topicCheck({ KAFKA_TOPIC_PARTITIONS: '12' });
      expect(fewer).to.include({ ok: false, severity: 'warning' });
      expect(fewer?.detail).to.contain('has 3 partitions');
    });

    it('is whether another installation reads the topic', async function () {
      this.timeout(60_000);
      const [one, other] = [await BusWorld.create(), await BusWorld.create()];
      const topic = uniqueTopic();
      const config = configOf({ ...env, KAFKA_TOPIC: topic });
      const found = async () =>
        (await thoroughKafkaChecks(config, one.db.pool)).find(({ name }) => name === 'one topic');
      const reading = async (world: BusWorld): Promise<string> => {
        const place = { brokers: await kafkaBrokers(), topic };
        const { bus, installation } = await startKafkaBus(world, place);
        world.consume(bus(), undefined, SAGA_GROUP);
        await world.fail('a', 't');
        const group = groupOf(SAGA_GROUP, installation);
        const groups = () => groupsOn({ ...place, clientId: 'test' }, topic, group).catch(() => []); // it is starting
        await until(async () => (await groups()).length === 1);
        return group;
      };
      try {
        const own = await reading(one);
        expect(await found()).to.include({ ok: true, severity: 'warning' });
        const group = await reading(other);
        const shared = await found();
        expect(shared).to.include({ ok: false, severity: 'warning' });
        expect(shared?.detail).to.contain(`: ${group}; the own group is ${own}`);
        await one.db.pool.query('DROP TABLE installation');
        expect((await found())?.detail).to.contain('cannot tell');
      } finally {
        for (const world of [one, other]) await world.close();
      }
    });
  });
});
