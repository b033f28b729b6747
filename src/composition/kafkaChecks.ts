import type { Check } from '../cli/services.js';
import type { Config } from '../config.js';
import type { KafkaConnection } from '../infra/kafka/client.js';
import { lookAtTopic, TopicMissing } from '../infra/kafka/topic.js';
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
