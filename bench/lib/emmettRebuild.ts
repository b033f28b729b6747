import type { RecordedEvent } from '../../src/events/envelope.js';
import { type EmmettModule, type EmmettStore, loadEmmett } from './emmett.js';
import type { Environment } from './figure.js';
import type { SeededLog } from './seededLog.js';
import { projections } from '../../src/projections/index.js';
import type { Row } from '../../src/projections/engine/projection.js';

/** Larger than emmett's default, and without its pause between batches: faster for it. */
const pulling = { batchSize: 1_000, pullingFrequencyInMs: 0 };
const CONNECTIONS = 10;

const recoveries = projections.find(({ table }) => table.name === 'recoveries');

type Fold = (document: Row | null, event: RecordedEvent) => Row | null;

/**
 * A document per recovery, folded by the very function that our rebuild calls. Rebuilding a version again would go on
 * from its checkpoint and fold nothing, hence a new version each time.
 */
const projectionOf = (module: EmmettModule, version: number) => {
  let folded = 0;
  const project = recoveries?.project as (
    row: Row | undefined,
    event: RecordedEvent,
    key: string,
  ) => Row | null;
  const evolve: Fold = (document, event) => {
    folded += 1;
    const recorded = event.metadata as unknown as { streamName: string; streamPosition: bigint };
    const key = recorded.streamName.slice('recovery-'.length);
    const position = recorded.streamPosition;
    const known = {
      ...event,
      stream: recorded.streamName,
      revision: position,
      position,
      recorded_at: event.metadata.occurred_at,
    };
    return project(document ?? undefined, known, key);
  };
  const definition = module.pongoSingleStreamProjection({
    collectionName: 'recoveries',
    version,
    canHandle: recoveries?.events,
    evolve,
  });
  return { definition, folded: () => folded };
};

/** The first events of our log that the model reads, stream by stream, through emmett's own append. */
const seed = async (log: SeededLog, store: EmmettStore, events: number): Promise<number> => {
  const streams = new Map<string, RecordedEvent[]>();
  const filter = { types: recoveries?.events ?? [] };
  for await (const delivery of log.store.readAll({ after: 0n, until: BigInt(events), filter }))
    for (const event of delivery.kind === 'events' ? delivery.events : [])
      streams.set(event.stream, [...(streams.get(event.stream) ?? []), event]);
  let seeded = 0;
  for (const [stream, all] of streams) {
    const messages = all.map(({ type, data, metadata }) => ({ type, data, metadata }));
    await store.appendToStream(stream, messages, { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' });
    seeded += messages.length;
  }
  return seeded;
};

/** Emmett's rebuild of the same model over a smaller log of its own; every call does one and tells how many events it folded. */
export const prepareEmmettRebuild = async (
  { cluster, sizes, note }: Environment,
  log: SeededLog,
): Promise<(() => Promise<number>) | undefined> => {
  const emmett = await loadEmmett(note);
  if (emmett === undefined) return undefined;
  const url = await cluster.database('rebuild_emmett', { empty: true });
  const store = await emmett.open(url, CONNECTIONS);
  const events = await seed(log, store, sizes.emmettEvents).finally(() => store.close());
  let version = 0;
  return async () => {
    const projection = projectionOf(emmett.module, ++version);
    const rebuild = emmett.module.rebuildPostgreSQLProjections({
      connectionString: url,
      projections: [projection.definition],
      pulling,
    });
    await rebuild.start();
    await rebuild.close();
    if (projection.folded() !== events)
      throw new Error(`emmett folded ${projection.folded()} of ${events} events`);
    return events;
  };
};
