import { randomUUID } from 'node:crypto';
import type { EventMetadata, Fact, NewEvent, Position, RecordedEvent } from '../../src/events/envelope.js';
import type { Delivery } from '../../src/events/eventStore.js';

export const sampleMetadata = (orgId: string = randomUUID()): EventMetadata => ({
  org_id: orgId,
  actor: { type: 'system', name: 'test' } as unknown as EventMetadata['actor'],
  correlation_id: randomUUID(),
  causation_id: randomUUID(),
  command_id: randomUUID(),
  schema_version: 1,
  occurred_at: '2026-11-23T10:00:00.000Z',
});

/** Events with ids, types and data of their own; the store does not look into them. */
export const sampleEvents = (
  count: number,
  { orgId = randomUUID(), type = 'Sampled' }: { readonly orgId?: string; readonly type?: string } = {},
): NewEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    id: randomUUID(),
    type,
    data: { n },
    metadata: sampleMetadata(orgId),
  }));

/** Tells the streams of this run from those of others on a shared server. */
const run = randomUUID().slice(0, 8);

export const uniqueStream = (aggregate = 'sample'): string => `${aggregate}${run}-${randomUUID()}`;

/** Everything up to the first `caught_up`. */
export const collect = async <E extends Fact = RecordedEvent>(
  deliveries: AsyncIterable<Delivery<E>>,
): Promise<{ readonly events: E[]; readonly caughtUp?: Position }> => {
  const events: E[] = [];
  for await (const delivery of deliveries) {
    if (delivery.kind === 'caught_up') return { events, caughtUp: delivery.position };
    events.push(...delivery.events);
  }
  return { events };
};

export const flatten = async <T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> => {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
};

export const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id);
