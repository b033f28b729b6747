import type { Kafka, Producer } from 'kafkajs';
import { toWire } from '../../events/integration/cloudEvents.js';
import type { PublicMessage } from '../../events/integration/message.js';

const ALL_REPLICAS = -1;

/** Nothing is sent before the last was answered, or again without being asked for. */
export const openProducer = (kafka: Kafka): Producer =>
  kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1, retry: { retries: 0 } });

/**
 * Publishes messages in their order, one batch at a time: the next is sent after the last is acknowledged, so that
 * nothing can overtake. Kafka's idempotent producer would keep the order with five in flight, but in kafkajs it is
 * experimental, takes one in flight as well, and what it spares, a copy after an acknowledgement got lost, does no
 * harm here.
 *
 * A batch that fails is for the caller to publish again as a whole. kafkajs's own retry sends it only to brokers that
 * have not answered yet: a partition that has moved to one that has would be left out, and nobody told.
 *
 * After a failure the next batch goes over new connections: kafkajs keeps one that no longer answers, and the operating
 * system takes a quarter of an hour to find out that the machine at its other end is gone.
 */
export class KafkaPublisher {
  #producer: Producer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
    private readonly installation: string,
  ) {}

  /** Resolves when every in-sync replica has the messages. */
  async publish(messages: readonly PublicMessage[]): Promise<void> {
    const producer = (this.#producer ??= openProducer(this.kafka));
    try {
      await producer.connect(); // at once when it is
      await producer.send({
        topic: this.topic,
        acks: ALL_REPLICAS,
        messages: messages.map((message) => toWire(message, this.installation)),
      });
    } catch (error) {
      this.#producer = undefined;
      // Not waited for: it waits for answers, and the broker that owes them may be gone.
      producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#producer?.disconnect();
    this.#producer = undefined;
  }
}
