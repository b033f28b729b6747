import type pg from 'pg';
import type { NewEvent, StreamId } from '../../events/envelope.js';
import { type AppendResult, type ExpectedRevision, RevisionConflict } from '../../events/eventStore.js';
import type { Faults } from '../../kernel/faults.js';
import { bigintArray, jsonArray, textArray, uuidArray } from './pgArrays.js';
import { isTimeout, isTransient } from './pgErrors.js';
import { PgLane } from './pgLane.js';
import { Signal } from '../../kernel/signal.js';

/*
 * Group commit. Appends that arrive while a commit is in flight wait and go together in the next one, as one
 * statement in one round trip: many events share one lock of the counter and one flush to disk. Every append in the
 * batch has its own conflict or success. A batch holds one append per stream, because the statement judges all of
 * them by the streams as they stood before it.
 */

const MAX_BATCH_EVENTS = 1000;
const MAX_BATCH_CHARS = 4 * 1024 * 1024;
/** Beyond this, callers wait for room before their events are even serialised. */
const MAX_QUEUED_EVENTS = 20_000;
const MAX_QUEUED_CHARS = 64 * 1024 * 1024;

const APPEND = 'SELECT base, refused FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9)';

interface Row {
  readonly id: string;
  readonly type: string;
  readonly org: string;
  readonly data: string;
  readonly metadata: string;
}

interface Pending {
  readonly stream: StreamId;
  readonly expected: ExpectedRevision;
  readonly start: bigint;
  readonly rows: readonly Row[];
  readonly chars: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Refusal {
  readonly append: number;
  readonly next: string;
  readonly position: string | null;
}

export interface AppenderOptions {
  readonly pool: pg.Pool;
  readonly faults: Faults;
  /** Commits in flight at once. */
  readonly lanes: number;
  /** Called after each commit that may have added events. */
  readonly onCommit: () => void;
}

export class PgAppender {
  readonly #options: AppenderOptions;
  readonly #room = new Signal();
  readonly #idle = new Signal();
  #queue: Pending[] = [];
  #queuedEvents = 0;
  #queuedChars = 0;
  #running = 0;

  constructor(options: AppenderOptions) {
    this.#options = options;
  }

  async append(
    stream: StreamId,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    while (this.#queuedEvents >= MAX_QUEUED_EVENTS || this.#queuedChars >= MAX_QUEUED_CHARS)
      await this.#room.wait();
    return new Promise((resolve, reject) => {
      const rows = events.map(rowOf);
      const chars = rows.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
      const start = expected === 'no_stream' ? 0n : expected + 1n;
      this.#queue.push({ stream, expected, start, rows, chars, resolve, reject });
      this.#queuedEvents += rows.length;
      this.#queuedChars += chars;
      if (this.#running < this.#options.lanes) void this.#run();
    });
  }

  /** Resolves when everything queued is settled. */
  async drained(): Promise<void> {
    while (this.#running > 0) await this.#idle.wait();
  }

  async #run(): Promise<void> {
    this.#running += 1;
    const lane = new PgLane(this.#options.pool);
    // A turn of the event loop between batches lets the callers just answered queue their next append.
    for (await turn(); this.#queue.length > 0; await turn()) {
      const batch = this.#take();
      this.#room.notify();
      await this.#settle(lane, batch, true);
    }
    lane.release();
    this.#running -= 1;
    this.#idle.notify();
  }

  /** The next batch: the oldest appends, one per stream, up to the bounds; at least one however big it is. */
  #take(): Pending[] {
    const batch: Pending[] = [];
    const rest: Pending[] = [];
    const streams = new Set<StreamId>();
    let events = 0;
    let chars = 0;
    for (const pending of this.#queue) {
      const fits =
        events + pending.rows.length <= MAX_BATCH_EVENTS && chars + pending.chars <= MAX_BATCH_CHARS;
      if ((fits || batch.length === 0) && !streams.has(pending.stream)) {
        batch.push(pending);
        events += pending.rows.length;
        chars += pending.chars;
      } else rest.push(pending);
      // Also for what stays behind: a stream's later append must not overtake an earlier one.
      streams.add(pending.stream);
    }
    this.#queue = rest;
    this.#queuedEvents -= events;
    this.#queuedChars -= chars;
    return batch;
  }

  /** Never rejects: whatever happens is told to the callers. A lost connection is tried once more; ids make that safe. */
  async #settle(lane: PgLane, batch: readonly Pending[], again: boolean): Promise<void> {
    try {
      this.#options.faults('append:before');
      const outcome = await commit(lane, batch);
      this.#options.faults('append:after');
      this.#options.onCommit();
      answer(batch, outcome);
    } catch (error) {
      // Whether it is there is unknown, and one after the other would keep everybody waiting for the same lock.
      if (isTimeout(error)) for (const { reject } of batch) reject(error);
      else if (again && isTransient(error)) await this.#settle(lane, batch, false);
      // The server refused the statement: find out which append it was, and let the others through.
      else if (!isTransient(error) && batch.length > 1)
        for (const pending of batch) await this.#settle(lane, [pending], true);
      else for (const { reject } of batch) reject(error);
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const rowOf = ({ id, type, data, metadata }: NewEvent): Row => ({
  id,
  type,
  org: metadata.org_id,
  data: JSON.stringify(data),
  metadata: JSON.stringify(metadata),
});

interface Outcome {
  readonly base: bigint;
  readonly refused: readonly Refusal[];
}

const commit = async (lane: PgLane, batch: readonly Pending[]): Promise<Outcome> => {
  const rows = batch.flatMap(({ rows }) => rows);
  const streams = textArray(batch.map(({ stream }) => stream));
  const starts = bigintArray(batch.map(({ start }) => start));
  const single = rows.length === batch.length;
  const values = [
    streams,
    starts,
    single ? streams : textArray(batch.flatMap(({ stream, rows }) => rows.map(() => stream))),
    single ? starts : bigintArray(batch.flatMap(({ start, rows }) => rows.map((_, i) => start + BigInt(i)))),
    uuidArray(rows.map(({ id }) => id)),
    textArray(rows.map(({ type }) => type)),
    uuidArray(rows.map(({ org }) => org)),
    jsonArray(rows.map(({ data }) => data)),
    jsonArray(rows.map(({ metadata }) => metadata)),
  ];
  const [row] = await lane.query<[string, Refusal[] | null]>({
    name: 'append_events',
    text: APPEND,
    values,
    rowMode: 'array',
  });
  if (row === undefined) throw new Error('append_events answered nothing');
  return { base: BigInt(row[0]), refused: row[1] ?? [] };
};

const answer = (batch: readonly Pending[], { base, refused }: Outcome): void => {
  const refusals = new Map(refused.map((refusal) => [refusal.append, refusal]));
  let position = base;
  batch.forEach(({ stream, expected, start, rows, resolve, reject }, index) => {
    const revision = start + BigInt(rows.length - 1);
    const refusal = refusals.get(index);
    if (refusal === undefined) {
      position += BigInt(rows.length);
      resolve({ revision, position });
    } else if (refusal.position !== null) resolve({ revision, position: BigInt(refusal.position) });
    else reject(new RevisionConflict(stream, expected, actualOf(refusal)));
  });
};

const actualOf = ({ next }: Refusal): ExpectedRevision => (next === '0' ? 'no_stream' : BigInt(next) - 1n);
