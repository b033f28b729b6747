import type pg from 'pg';
import type { Kafka } from 'kafkajs';
import type { EventStore } from '../../src/events/eventStore.js';
import { PgCheckpoint } from '../../src/infra/bus/pgCheckpoint.js';
import { KafkaPublisher } from '../../src/infra/kafka/publisher.js';
import { noFaults } from '../../src/kernel/faults.js';
import { runRelay } from '../../src/workers/relay.js';

export interface RelayRun {
  readonly store: EventStore;
  readonly pool: pg.Pool;
  readonly kafka: Kafka;
  readonly topic: string;
  /** Told of each batch that is acknowledged. */
  readonly onPublished?: (messages: number) => void;
}

/** Publishes the whole log once, as the relay role does. @returns how many messages it was */
export const relayOnce = async ({ store, pool, kafka, topic, onPublished }: RelayRun): Promise<number> => {
  const name = `bench:${topic}`;
  await pool.query('DELETE FROM bus_checkpoints WHERE consumer_group = $1', [name]);
  const head = await store.head();
  const kafkaPublisher = new KafkaPublisher(kafka, topic);
  const checkpoint = new PgCheckpoint(pool, name);
  const stop = new AbortController();
  let published = 0;
  await runRelay(
    {
      store,
      publisher: {
        publish: async (messages) => {
          await kafkaPublisher.publish(messages);
          published += messages.length;
          onPublished?.(messages.length);
        },
      },
      checkpoint: {
        load: () => checkpoint.load(),
        moveTo: async (position) => {
          await checkpoint.moveTo(position);
          if (position >= head) stop.abort();
        },
      },
      lead: (signal, work) => work(signal),
      faults: noFaults,
    },
    stop.signal,
  );
  await kafkaPublisher.close();
  return published;
};
