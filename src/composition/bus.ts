import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../config.js';
import type { EventBus } from '../events/eventBus.js';
import type { IntakeOptions } from '../infra/bus/intake.js';
import { PgCheckpoint } from '../infra/bus/pgCheckpoint.js';
import { PgEventBus } from '../infra/bus/pgEventBus.js';
import { createKafka, type KafkaConnection, type KafkaTls } from '../infra/kafka/client.js';
import { KafkaEventBus } from '../infra/kafka/kafkaEventBus.js';
import { KafkaPublisher } from '../infra/kafka/publisher.js';
import { ensureTopic, type TopicOptions } from '../infra/kafka/topic.js';
import type { Faults } from '../kernel/faults.js';
import type { Logger } from '../kernel/logger.js';
import { runRelay } from '../workers/relay.js';
import { elected } from './elected.js';
import type { Runtime } from './runtime.js';

const problemsOf = (config: Config): string[] => {
  const { kafkaSaslMechanism, kafkaSaslUsername, kafkaSaslPassword, kafkaSsl } = config;
  const { kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile } = config;
  const login = kafkaSaslUsername !== undefined && kafkaSaslPassword !== undefined;
  const files = [kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile].some((file) => file !== undefined);
  return [
    ...(kafkaSaslMechanism !== undefined && !login
      ? ['KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD']
      : []),
    ...(kafkaSaslMechanism === undefined && (kafkaSaslUsername ?? kafkaSaslPassword) !== undefined
      ? ['KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM']
      : []),
    ...(files && !kafkaSsl ? ['KAFKA_SSL_CA_FILE, _CERT_FILE and _KEY_FILE need KAFKA_SSL=true'] : []),
    ...((kafkaSslCertFile === undefined) !== (kafkaSslKeyFile === undefined)
      ? ['KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE need each other']
      : []),
  ];
};

const pem = (name: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`${name} must be a readable file: ${(error as Error).message}`]);
  }
};

const tlsOf = ({ kafkaSslCaFile, kafkaSslCertFile, kafkaSslKeyFile }: Config): KafkaTls => ({
  ...(kafkaSslCaFile !== undefined && { ca: pem('KAFKA_SSL_CA_FILE', kafkaSslCaFile) }),
  ...(kafkaSslCertFile !== undefined && { cert: pem('KAFKA_SSL_CERT_FILE', kafkaSslCertFile) }),
  ...(kafkaSslKeyFile !== undefined && { key: pem('KAFKA_SSL_KEY_FILE', kafkaSslKeyFile) }),
});

/**
 * How to reach the brokers; undefined without KAFKA_BROKERS.
 * @throws ConfigError for settings that do not fit together
 */
export const kafkaConnection = (config: Config): KafkaConnection | undefined => {
  const { kafkaBrokers: brokers, kafkaClientId: clientId, kafkaSaslMechanism: mechanism } = config;
  if (brokers === undefined) return undefined;
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(problems);
  const { kafkaSaslUsername: username = '', kafkaSaslPassword: password = '' } = config;
  return {
    brokers,
    clientId,
    ...(config.kafkaSsl && { tls: tlsOf(config) }),
    ...(mechanism !== undefined && { sasl: { mechanism, username, password } }),
  };
};

export const topicOf = (config: Config): TopicOptions => ({
  topic: config.kafkaTopic,
  partitions: config.kafkaTopicPartitions,
  replication: config.kafkaTopicReplication,
  create: config.kafkaCreateTopics,
});

const openKafka = async (
  { config }: Runtime,
  connection: KafkaConnection,
  logger: Logger,
  signal: AbortSignal,
) => {
  const kafka = await createKafka(connection, logger);
  const { topic } = topicOf(config);
  return {
    kafka,
    topic,
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
    const { kafka, topic } = await openKafka(runtime, connection, logger, signal);
    const publisher = new KafkaPublisher(kafka, topic);
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
