import { createHash, type Hash } from 'node:crypto';
import { canonicalJson } from '../kernel/json.js';
import type { Position, RecordedEvent } from './envelope.js';
import type { Delivery, EventStore } from './eventStore.js';

/** The target does not hold what the source holds, event by event: it is another log, or has been written to. */
export class LogsDiverge extends Error {
  readonly code = 'logs_diverge';
  constructor(detail: string) {
    super(detail);
    this.name = 'LogsDiverge';
  }
}

export const isLogsDiverge = (error: unknown): error is LogsDiverge =>
  error instanceof Error && error.name === 'LogsDiverge';

/** How far two logs are the same. */
export interface Agreement {
  readonly events: number;
  /** Over every event up to here, in order. */
  readonly hash: Hash;
  readonly source: Position;
  readonly target: Position;
}

export const nothingYet = (): Agreement => ({
  events: 0,
  hash: createHash('sha256'),
  source: 0n,
  target: 0n,
});

/** What a copy keeps of an event: all but its position and when the store recorded it. */
const keptOf = ({ stream, revision, id, type, data, metadata }: RecordedEvent): string =>
  canonicalJson({ stream, revision: String(revision), id, type, data, metadata });

const nameOf = ({ stream, revision, position }: RecordedEvent): string =>
  `${stream}#${revision} at position ${position}`;

async function* eventsOf(deliveries: AsyncIterable<Delivery>): AsyncGenerator<RecordedEvent, undefined> {
  for await (const delivery of deliveries) if (delivery.kind === 'events') yield* delivery.events;
}

export interface CompareOptions {
  /** The last event of the source that counts. */
  readonly until: Position;
  readonly pageSize: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (agreement: Pick<Agreement, 'events' | 'source'>) => void;
}

/**
 * Goes along both logs, event by event, from where they are known to agree to where the target ends.
 * @throws LogsDiverge at the first event that is not the same, or that the source does not have
 */
export const compareLogs = async (
  source: EventStore,
  target: EventStore,
  from: Agreement,
  { until, pageSize, signal, onProgress }: CompareOptions,
): Promise<Agreement> => {
  const page = { pageSize, ...(signal && { signal }) };
  const expected = eventsOf(source.readAll({ ...page, after: from.source, until }));
  const hash = from.hash.copy();
  let at = from;
  try {
    for await (const found of eventsOf(target.readAll({ ...page, after: from.target }))) {
      const { value: event } = await expected.next();
      signal?.throwIfAborted();
      if (event === undefined)
        throw new LogsDiverge(`The target goes on where the source ends: ${nameOf(found)}.`);
      const kept = keptOf(event);
      if (kept !== keptOf(found))
        throw new LogsDiverge(`The source has ${nameOf(event)} where the target has ${nameOf(found)}.`);
      hash.update(kept).update('\n');
      at = { events: at.events + 1, hash, source: event.position, target: found.position };
      onProgress?.(at);
    }
  } finally {
    await expected.return(undefined);
  }
  signal?.throwIfAborted();
  return at;
};
