import { type Agreement, compareLogs, LogsDiverge, nothingYet } from './compareLogs.js';
import type { Position, RecordedEvent } from './envelope.js';
import { type Delivery, type EventStore, isRevisionConflict } from './eventStore.js';

export type CopyPhase = 'comparing' | 'copying' | 'verifying';

export interface CopyProgress {
  readonly phase: CopyPhase;
  readonly events: number;
  /** How far in the source this phase has come, and where it will end. */
  readonly position: Position;
  readonly until: Position;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopyResult {
  /** In the target now, each the same as in the source. */
  readonly events: number;
  /** Of these, appended by this run. */
  readonly copied: number;
  /** SHA-256 over the canonical form of every event, in order. */
  readonly sha256: string;
  readonly source_position: Position;
  readonly target_position: Position;
}

const PAGE = 1_000;
/** Well below the server's limit of one append (1 MB), at the largest events there are. */
const APPEND = 50;

/** Events that follow each other in one stream and in the log: what one append may hold without changing the order. */
const runsOf = (events: readonly RecordedEvent[]): readonly RecordedEvent[][] => {
  const runs: RecordedEvent[][] = [];
  for (const event of events) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && run.length < APPEND && last?.stream === event.stream && last.revision + 1n === event.revision)
      run.push(event);
    else runs.push([event]);
  }
  return runs;
};

const append = async (target: EventStore, run: readonly RecordedEvent[]): Promise<void> => {
  const [first] = run;
  if (first === undefined) return;
  const expected = first.revision === 0n ? 'no_stream' : first.revision - 1n;
  try {
    await target.append(first.stream, expected, run);
  } catch (error) {
    if (isRevisionConflict(error))
      throw new LogsDiverge(`The target has been written to, or the source was cut: ${error.message}.`);
    throw error;
  }
};

const appendAll = async (
  deliveries: AsyncIterable<Delivery>,
  target: EventStore,
  signal: AbortSignal | undefined,
  onRun: (run: readonly RecordedEvent[]) => void,
): Promise<void> => {
  for await (const delivery of deliveries) {
    if (delivery.kind !== 'events') continue;
    for (const run of runsOf(delivery.events)) {
      signal?.throwIfAborted();
      await append(target, run);
      onRun(run);
    }
  }
};

/** @throws LogsDiverge when the source has grown: what came after `until` is not in the copy */
const refuseLatecomers = async (source: EventStore, until: Position): Promise<void> => {
  for await (const delivery of source.readAll({ after: until, pageSize: 1 }))
    if (delivery.kind === 'events' && delivery.events.length > 0)
      throw new LogsDiverge(
        'The source was written to during the copy. Stop everything that writes to it, and run the copy again.',
      );
};

/**
 * Copies a log into an empty one, or goes on with a copy that was interrupted: compares what the target has, appends
 * the rest in order, one append at a time, and reads back what it has appended. Ids and revisions are kept, so an
 * append that is repeated changes nothing. Nobody else may write to the target meanwhile.
 *
 * When an event was recorded is the target's to say; when it happened is in its metadata, and kept.
 * @throws LogsDiverge when the target holds anything that the source does not have at the same place
 */
export const copyLog = async (
  source: EventStore,
  target: EventStore,
  { signal, onProgress }: CopyOptions = {},
): Promise<CopyResult> => {
  const until = await source.head();
  const telling = (phase: CopyPhase) => ({
    until,
    pageSize: PAGE,
    ...(signal && { signal }),
    onProgress: ({ events, source: position }: Pick<Agreement, 'events' | 'source'>) =>
      onProgress?.({ phase, events, position, until }),
  });
  const before = await compareLogs(source, target, nothingYet(), telling('comparing'));
  const copying = telling('copying');
  let { events } = before;
  const rest = source.readAll({ after: before.source, ...copying });
  await appendAll(rest, target, signal, (run) => {
    events += run.length;
    copying.onProgress({ events, source: run.at(-1)?.position ?? until });
  });
  signal?.throwIfAborted();
  const after = await compareLogs(source, target, before, telling('verifying'));
  if (after.events !== events)
    throw new LogsDiverge(`The target holds ${after.events} of ${events} events after the copy.`);
  await refuseLatecomers(source, until);
  return {
    events,
    copied: events - before.events,
    sha256: after.hash.digest('hex'),
    source_position: after.source,
    target_position: after.target,
  };
};
