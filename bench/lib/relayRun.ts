import type pg from 'pg';
import type { Kafka } from 'kafkajs';
import type { EventStore } from '../../src/events/eventStore.js';
import { PgCheckpoint } from '../../src/infra/bus/pgCheckpoint.js';
import { KafkaPublisher } from '../../src/infra/kafka/publisher.js';
import { installationOf } from '../../src/infra/postgres/installation.js';
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

/**
 * Publishes the log from its beginning, as the relay role does, and again until there were so many messages.
 * @returns how many there were
 */
export const relayLog = async (
  { store, pool, kafka, topic, onPublished }: RelayRun,
  atLeast = 1,
): Promise<number> => {
  const name = `bench:${topic}`;
  const head = await store.head();
  const kafkaPublisher = new KafkaPublisher(kafka, topic, await installationOf(pool));
  const checkpoint = new PgCheckpoint(pool, name);
  let published = 0;
  let pass = new AbortController();
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
          if (position >= head) pass.abort();
        },
      },
      lead: async (_signal, work) => {
        while (published < atLeast) {
          await pool.query('DELETE FROM bus_checkpoints WHERE consumer_group = $1', [name]);
          pass = new AbortController();
          await work(pass.signal);
        }
      },
      faults: noFaults,
    },
    new AbortController().signal,
  );
  await kafkaPublisher.close();
  return published;
};
