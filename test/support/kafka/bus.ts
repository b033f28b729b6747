/** A topic that a relay feeds from a log, and consumers of it. */
import type { EventBus } from '../../../src/events/eventBus.js';
import { PgCheckpoint } from '../../../src/infra/bus/pgCheckpoint.js';
import { createKafka, type KafkaConnection, type Patience } from '../../../src/infra/kafka/client.js';
import { KafkaEventBus } from '../../../src/infra/kafka/kafkaEventBus.js';
import { KafkaPublisher } from '../../../src/infra/kafka/publisher.js';
import { ensureTopic } from '../../../src/infra/kafka/topic.js';
import { installationOf } from '../../../src/infra/postgres/installation.js';
import { lead } from '../../../src/infra/postgres/leadership.js';
import { noFaults } from '../../../src/kernel/faults.js';
import { type Logger, silentLogger } from '../../../src/kernel/logger.js';
import { runRelay } from '../../../src/workers/relay.js';
import type { BusWorld } from '../eventBusContract.js';

export interface Place extends Pick<KafkaConnection, 'brokers' | 'tls' | 'sasl'> {
  readonly topic: string;
  readonly partitions?: number;
  readonly patience?: Patience;
  /** The consumers'. */
  readonly logger?: Logger;
}

export interface CarriedBus {
  readonly bus: () => EventBus;
  readonly stopRelay: () => Promise<void>;
  readonly installation: string;
}

/** Everything is stopped with the world. */
export const startKafkaBus = async (
  world: BusWorld,
  { topic, partitions = 4, patience, logger = silentLogger, ...place }: Place,
): Promise<CarriedBus> => {
  const { store, db } = world;
  const connection = { ...place, clientId: 'test' };
  const kafka = await createKafka(connection, silentLogger, patience);
  const installation = await installationOf(db.pool);
  const stop = new AbortController();
  const options = { topic, partitions, replication: 1, create: true };
  await ensureTopic(kafka, connection, options, { logger: silentLogger, signal: stop.signal });
  const publisher = new KafkaPublisher(kafka, topic, installation);
  const name = `relay:${topic}`;
  const running = runRelay(
    {
      store,
      publisher,
      checkpoint: new PgCheckpoint(db.pool, name),
      lead: (signal, work) => lead({ pool: db.pool, logger: silentLogger, name }, signal, work),
      faults: noFaults,
    },
    stop.signal,
  );
  const stopRelay = async (): Promise<void> => {
    stop.abort();
    await running;
    await publisher.close();
  };
  world.onClose(stopRelay);
  const bus = () =>
    new KafkaEventBus({
      kafka,
      topic,
      installation,
      partitions,
      store,
      pool: db.pool,
      logger,
      faults: noFaults,
      sessionTimeoutMs: 6_000,
    });
  return { bus, stopRelay, installation };
};
