import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { TestDatabase } from './postgres.js';

/** The whole log, read the way the product reads it. */
export const readEvents = async ({ pool }: Pick<TestDatabase, 'pool'>): Promise<RecordedEvent[]> => {
  const store = new PgEventStore({ pool });
  const events: RecordedEvent[] = [];
  for await (const delivery of store.readAll({ after: 0n }))
    if (delivery.kind === 'events') events.push(...delivery.events);
  await store.close();
  return events;
};
