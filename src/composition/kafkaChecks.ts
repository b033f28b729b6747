import type { Check } from '../cli/services.js';
import type { Config } from '../config.js';
import type { Db } from '../kernel/db.js';
import type { KafkaConnection } from '../infra/kafka/client.js';
import { groupOf } from '../infra/kafka/sharedTopic.js';
import { groupsOn, lookAtTopic, TopicMissing } from '../infra/kafka/topic.js';
import { installationOf } from '../infra/postgres/installation.js';
import { SAGA_GROUP } from '../workers/saga.js';
import { topicOf } from './bus.js';
import { kafkaConnection } from './kafkaConnection.js';

type Finding = Pick<Check, 'ok' | 'severity' | 'detail' | 'fix'>;

const topicFinding = (config: Config, connection: KafkaConnection, partitions: number): Finding => {
  const options = topicOf(config);
  const { topic, partitions: wanted, create } = options;
  if (partitions === 0 && create)
    return { ok: true, severity: 'error', detail: `${topic} is made by the first relay or saga` };
  if (partitions === 0) {
    const fix = new TopicMissing(options, connection).message;
    return { ok: false, severity: 'error', detail: `there is no topic ${topic}`, fix };
  }
  const detail = `${topic} has ${partitions} partitions`;
  if (partitions >= wanted) return { ok: true, severity: 'warning', detail };
  const fix =
    'Set KAFKA_TOPIC_PARTITIONS to what the topic has: that many sagas share the work. To have more, stop the relay, ' +
    'let the sagas finish, and add them.';
  return { ok: false, severity: 'warning', detail: `${detail}, KAFKA_TOPIC_PARTITIONS=${wanted}`, fix };
};

/**
 * Are the brokers there, and the topic on them? Each broker is asked once.
 * @throws ConfigError for settings that do not fit together
 */
export const kafkaChecks = async (config: Config): Promise<readonly Check[]> => {
  const connection = kafkaConnection(config);
  if (connection === undefined) return [];
  const brokers = { name: 'Kafka', severity: 'error' } as const;
  try {
    const partitions = await lookAtTopic(connection, config.kafkaTopic);
    return [
      { ...brokers, ok: true, detail: `${connection.brokers.join()} answer` },
      { name: 'Kafka topic', ...topicFinding(config, connection, partitions) },
    ];
  } catch (error) {
    const detail = `${connection.brokers.join()}: ${(error as Error).message}`;
    const fix = 'See that the brokers run, and check KAFKA_BROKERS, KAFKA_SSL… and KAFKA_SASL….';
    return [{ ...brokers, ok: false, detail, fix }];
  }
};

const APART =
  'Give each installation a KAFKA_TOPIC of its own. A group that nobody uses any more: delete it, or wait for Kafka to ' +
  'forget it.';

/** Do the sagas of other installations read the topic, too? Asks about every one of their groups. */
const sharingFinding = async (config: Config, connection: KafkaConnection, db: Db): Promise<Finding> => {
  const own = groupOf(SAGA_GROUP, await installationOf(db));
  const groups = await groupsOn(connection, config.kafkaTopic, groupOf(SAGA_GROUP, ''));
  const others = groups.filter((group) => group !== own);
  if (others.length === 0)
    return {
      ok: true,
      severity: 'warning',
      detail: `read by the group ${own}, and by no other installation's`,
    };
  const detail = `other installations read the topic: ${others.join(', ')}; the own group is ${own}`;
  return { ok: false, severity: 'warning', detail, fix: APART };
};

const UNKNOWN = 'Migrate the database, and allow this login to describe the topic and the groups.';

const sharingCheck = async (...asked: Parameters<typeof sharingFinding>): Promise<Check> => {
  const finding = await sharingFinding(...asked).catch((error: unknown): Finding => {
    const detail = `cannot tell who else reads it: ${(error as Error).message}`;
    return { ok: false, severity: 'warning', detail, fix: UNKNOWN };
  });
  return { name: 'one topic', ...finding };
};

/** What doctor finds out about Kafka: more than a probe may ask every second. */
export const thoroughKafkaChecks = async (config: Config, db: Db): Promise<readonly Check[]> => {
  const checks = await kafkaChecks(config);
  const connection = kafkaConnection(config);
  const unusable = checks.some(({ ok, severity }) => !ok && severity === 'error');
  return connection === undefined || unusable
    ? checks
    : [...checks, await sharingCheck(config, connection, db)];
};
