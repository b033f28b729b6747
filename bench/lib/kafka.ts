import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { EventStore } from '../../src/events/eventStore.js';
import { toWire, type WireMessage } from '../../src/events/integration/cloudEvents.js';
import { publicEventTypes, toPublicMessage } from '../../src/events/integration/toPublicMessage.js';
import { createKafka } from '../../src/infra/kafka/client.js';
import { ensureTopic } from '../../src/infra/kafka/topic.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { TestBroker } from '../../test/support/kafka/broker.js';
import { whyNoBroker } from '../../test/support/kafka/jars.js';
import type { Environment } from './figure.js';

export const PARTITIONS = 6;
/** What the relay sends at once. */
const BATCH = 500;

export interface BenchKafka {
  readonly brokers: readonly string[];
  readonly kafka: Kafka;
  topic(): Promise<string>;
  stop(): Promise<void>;
}

/** KAFKA_BROKERS, or a broker of our own; undefined, with a word why, where neither can be had. */
export const openKafka = async ({ note }: Pick<Environment, 'note'>): Promise<BenchKafka | undefined> => {
  const given = process.env['KAFKA_BROKERS'];
  const missing = given ? undefined : whyNoBroker();
  if (missing !== undefined) {
    note(`left out: ${missing}; or set KAFKA_BROKERS`);
    return undefined;
  }
  const broker = given ? undefined : await TestBroker.start();
  const brokers = (given ?? broker?.address ?? '').split(',');
  const connection = { brokers, clientId: 'bench' };
  const kafka = await createKafka(connection, logger);
  const topic = async (): Promise<string> => {
    const name = `recovery-bench-${randomUUID()}`;
    const options = { topic: name, partitions: PARTITIONS, replication: 1, create: true };
    await ensureTopic(kafka, connection, options, { logger, signal: new AbortController().signal });
    return name;
  };
  return { brokers, kafka, topic, stop: async () => broker?.stop() };
};

/** The messages of a log as the relay would send them, made before anything is measured. */
export const readyMade = async (store: EventStore, installation: string): Promise<WireMessage[][]> => {
  const batches: WireMessage[][] = [];
  const filter = { types: Object.values(publicEventTypes) };
  for await (const delivery of store.readAll({ after: 0n, filter, pageSize: BATCH })) {
    const messages = delivery.kind === 'events' ? delivery.events.map(toPublicMessage) : [];
    const batch = messages
      .filter((message) => message !== undefined)
      .map((message) => toWire(message, installation));
    if (batch.length > 0) batches.push(batch);
  }
  return batches;
};
