import type { Config } from '../config.js';
import type { EventBus } from '../events/eventBus.js';
import type { IntakeOptions } from '../infra/bus/intake.js';
import { PgCheckpoint } from '../infra/bus/pgCheckpoint.js';
import { PgEventBus } from '../infra/bus/pgEventBus.js';
import { createKafka, type KafkaConnection } from '../infra/kafka/client.js';
import { KafkaEventBus } from '../infra/kafka/kafkaEventBus.js';
import { KafkaPublisher } from '../infra/kafka/publisher.js';
import { ensureTopic, type TopicOptions } from '../infra/kafka/topic.js';
import { installationOf } from '../infra/postgres/installation.js';
import type { Faults } from '../kernel/faults.js';
import type { Logger } from '../kernel/logger.js';
import { runRelay } from '../workers/relay.js';
import { elected } from './elected.js';
import { kafkaConnection } from './kafkaConnection.js';
import type { Runtime } from './runtime.js';

export const topicOf = (config: Config): TopicOptions => ({
  topic: config.kafkaTopic,
  partitions: config.kafkaTopicPartitions,
  replication: config.kafkaTopicReplication,
  create: config.kafkaCreateTopics,
});

const openKafka = async (
  { config, database }: Runtime,
  connection: KafkaConnection,
  logger: Logger,
  signal: AbortSignal,
) => {
  const kafka = await createKafka(connection, logger);
  const { topic } = topicOf(config);
  return {
    kafka,
    topic,
    installation: await installationOf(database.pool),
    partitions: await ensureTopic(kafka, connection, topicOf(config), { logger, signal }),
  };
};

/** Kafka where there are KAFKA_BROKERS; otherwise consumers read the log themselves. */
export const createBus = async (
  runtime: Runtime,
  options: IntakeOptions & { readonly faults: Faults },
  signal: AbortSignal,
): Promise<EventBus> => {
  const connection = kafkaConnection(runtime.config);
  if (connection === undefined) return new PgEventBus({ ...options, store: runtime.store });
  const sessionTimeoutMs = runtime.config.kafkaSessionTimeoutSeconds * 1000;
  return new KafkaEventBus({
    ...options,
    sessionTimeoutMs,
    ...(await openKafka(runtime, connection, options.logger, signal)),
  });
};

/** Of the relay's lead and of its checkpoint. */
export const relayName = (topic: string): string => `relay:${topic}`;

/** The relay role; undefined without Kafka, where there is nothing to feed. */
export const relayRole = (runtime: Runtime): ((signal: AbortSignal) => Promise<void>) | undefined => {
  const connection = kafkaConnection(runtime.config);
  if (connection === undefined) return undefined;
  const { store, faults, database } = runtime;
  const logger = runtime.logger.child({ component: 'relay' });
  return async (signal) => {
    const { kafka, topic, installation } = await openKafka(runtime, connection, logger, signal);
    const publisher = new KafkaPublisher(kafka, topic, installation);
    const name = relayName(topic);
    const checkpoint = new PgCheckpoint(database.pool, name);
    const lead = elected(runtime, 'relay', name);
    try {
      await runRelay({ store, publisher, checkpoint, lead, faults }, signal);
    } finally {
      await publisher.close();
    }
  };
};
