/** Kafka without our own code between: what another producer, or an operator, could do. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Message } from 'kafkajs';

export const rawKafka = (brokers: readonly string[]): Kafka =>
  new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });

/** Has every partition of a topic that was made just now come to its leader? */
export const leadersAnswer = async (kafka: Kafka, topic: string): Promise<boolean> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.fetchTopicOffsets(topic);
    return true;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
};

export const produceRaw = async (kafka: Kafka, topic: string, messages: Message[]): Promise<void> => {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
};

/** Everything on a topic, in the order of each partition. */
export const consumeRaw = async (kafka: Kafka, topic: string, atLeast: number) => {
  const consumer = kafka.consumer({ groupId: `${topic}-raw-${randomUUID()}`, maxWaitTimeInMs: 200 });
  const read: {
    readonly partition: number;
    readonly key: string;
    readonly headers: Record<string, string>;
  }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ partition, message }) => {
          const headers = Object.entries(message.headers ?? {});
          read.push({
            partition,
            key: message.key?.toString() ?? '',
            headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
          });
          if (read.length >= atLeast) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return read;
};
