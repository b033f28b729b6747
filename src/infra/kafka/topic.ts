import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import { createKafka, type KafkaConnection } from './client.js';

export interface TopicOptions {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  /** May we make it? */
  readonly create: boolean;
}

const LONGEST_PAUSE_MS = 8_000;
/** Long enough for any consumer that was away; the log can publish all of it again. */
const RETENTION_MS = 30 * 24 * 3_600_000;

/** The topic is not there, and is not ours to make. */
export class TopicMissing extends Error {
  constructor({ topic, partitions, replication }: TopicOptions, { brokers }: KafkaConnection) {
    const command = [
      `kafka-topics.sh --bootstrap-server ${brokers.join(',')} --create --topic ${topic}`,
      `--partitions ${partitions} --replication-factor ${replication} --config retention.ms=${RETENTION_MS}`,
    ].join(' ');
    super(`Kafka has no topic ${topic}. Create it, or set KAFKA_CREATE_TOPICS=true:\n  ${command}`);
    this.name = 'TopicMissing';
  }
}

const create = async (admin: Admin, { topic, partitions, replication }: TopicOptions): Promise<void> => {
  // With one replica down there must still be two copies of what is acknowledged.
  const inSync = replication >= 3 ? [{ name: 'min.insync.replicas', value: '2' }] : [];
  const retention = { name: 'retention.ms', value: String(RETENTION_MS) };
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: [retention, ...inSync],
      },
    ],
  });
};

const partitionsOf = async (admin: Admin, topic: string): Promise<number> => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]?.partitions.length ?? 0;
};

const ensureOnce = async (
  kafka: Kafka,
  connection: KafkaConnection,
  options: TopicOptions,
): Promise<number> => {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(options.topic)) {
      if (!options.create) throw new TopicMissing(options, connection);
      await create(admin, options); // false when another process was faster
    }
    return await partitionsOf(admin, options.topic);
  } finally {
    await admin.disconnect();
  }
};

const LOOK_MS = 2_000;

/** Asks once and waits for no outage to pass: each broker gets one try. Undefined when the topic is not there. */
const looking = async <T>(
  connection: KafkaConnection,
  topic: string,
  look: (admin: Admin) => Promise<T>,
): Promise<T | undefined> => {
  const retry = { initialRetryTime: 50, maxRetryTime: 100, retries: connection.brokers.length - 1 };
  const patience = { connectionTimeout: LOOK_MS, requestTimeout: LOOK_MS, retry };
  const admin = (await createKafka(connection, silentLogger, patience)).admin();
  try {
    await admin.connect();
    return (await admin.listTopics()).includes(topic) ? await look(admin) : undefined;
  } finally {
    await admin.disconnect();
  }
};

/** How many partitions the topic has; 0 when it is not there. */
export const lookAtTopic = async (connection: KafkaConnection, topic: string): Promise<number> =>
  (await looking(connection, topic, (admin) => partitionsOf(admin, topic))) ?? 0;

const NOTHING_COMMITTED = '-1';

/** The consumer groups that have read the topic, of those whose names begin so. */
export const groupsOn = async (
  connection: KafkaConnection,
  topic: string,
  prefix: string,
): Promise<readonly string[]> => {
  const groups = await looking(connection, topic, async (admin) => {
    const found: string[] = [];
    for (const { groupId } of (await admin.listGroups()).groups) {
      if (!groupId.startsWith(prefix)) continue;
      const offsets = await admin.fetchOffsets({ groupId, topics: [topic] });
      const committed = offsets.flatMap(({ partitions }) => partitions);
      if (committed.some(({ offset }) => offset !== NOTHING_COMMITTED)) found.push(groupId);
    }
    return found;
  });
  return groups ?? [];
};

/** A wrong login and a missing topic stay so until somebody acts; anything else may pass. */
const isPermanent = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof TopicMissing || error.name === 'KafkaJSSASLAuthenticationError');

/**
 * Makes sure that the topic is there, as soon as the brokers can be reached.
 * @returns how many partitions it has; 0 when the signal aborted before that was known
 * @throws TopicMissing
 */
export const ensureTopic = async (
  kafka: Kafka,
  connection: KafkaConnection,
  options: TopicOptions,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<number> => {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      return await ensureOnce(kafka, connection, options);
    } catch (error) {
      if (isPermanent(error)) throw error;
      logger.warn({ err: error, failures }, 'Kafka cannot be reached, trying again');
    }
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return 0;
};
