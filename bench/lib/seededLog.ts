import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { RecordedEvent } from '../../src/events/envelope.js';
import { type PaymentId, recoveryIdOf } from '../../src/kernel/ids.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { ProjectionEngine } from '../../src/projections/engine/engine.js';
import { projections } from '../../src/projections/index.js';
import { recoveryHistories } from '../../test/support/recoveryHistories.js';

/** Slug of an organization that the histories belong to: registering it gives a token for its recoveries. */
export const SEEDED_ORG = 'org-1';
const ORGANIZATIONS = 20;
const RECOVERIES = 10_000;
const DAYS = 30;
/** Far enough apart that one part of the log ends before the next begins. */
const PART_DAYS = 120;
const START = Date.UTC(2015, 0, 1);

/**
 * Histories as a log holds them at some moment: about six events per recovery, because some have only just begun.
 * Each is cut off after a number of events that its id decides.
 */
const partOf = (seed: number): RecordedEvent[] => {
  const start = new Date(START + seed * PART_DAYS * 86_400_000).toISOString();
  const whole = recoveryHistories({
    seed,
    recoveries: RECOVERIES,
    organizations: ORGANIZATIONS,
    days: DAYS,
    start,
  });
  const recoveryOf = new Map<string, string>();
  const left = new Map<string, number>();
  return whole.filter(({ stream }) => {
    const id = stream.slice(stream.indexOf('-') + 1);
    let recovery = recoveryOf.get(stream);
    if (recovery === undefined) {
      recovery = stream.startsWith('payment-') ? recoveryIdOf(id as PaymentId) : id;
      recoveryOf.set(stream, recovery);
    }
    const allowed = left.get(recovery) ?? 3 + (parseInt(recovery.slice(0, 2), 16) % 9);
    left.set(recovery, allowed - 1);
    return allowed > 0;
  });
};

const escaped = (json: string): string => json.replaceAll('\\', '\\\\');

function* copyLines(events: readonly RecordedEvent[], base: bigint): Generator<string> {
  let position = base;
  let recordedAt = '';
  for (const { stream, revision, id, type, metadata, data, recorded_at } of events) {
    position += 1n;
    if (recorded_at > recordedAt) recordedAt = recorded_at;
    const documents = `${escaped(JSON.stringify(data))}\t${escaped(JSON.stringify(metadata))}`;
    yield `${position}\t${stream}\t${revision}\t${id}\t${type}\t${metadata.org_id}\t${documents}\t${recordedAt}\n`;
  }
}

function* chunks(lines: Iterable<string>): Generator<Buffer> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < 128 * 1024) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/** Writes events to the end of the log: what thousands of appends would leave there, by COPY. */
const copyEvents = async (client: pg.ClientBase, events: readonly RecordedEvent[]): Promise<void> => {
  await client.query('BEGIN');
  const { rows } = await client.query<{ base: string }>(
    `UPDATE event_log_head SET position = position + $1, recorded_at = greatest(recorded_at, $2::timestamptz)
     RETURNING position - $1 AS base`,
    [events.length, events.at(-1)?.recorded_at],
  );
  const columns = 'position, stream_id, revision, event_id, type, org_id, data, metadata, recorded_at';
  const into = client.query(copyFrom(`COPY events (${columns}) FROM STDIN`));
  await pipeline(Readable.from(chunks(copyLines(events, BigInt(rows[0]?.base ?? 0)))), into);
  await client.query('COMMIT');
};

/** A log of recovery histories with the means to read and rebuild from it. */
export class SeededLog {
  readonly pool: pg.Pool;
  readonly store: PgEventStore;
  readonly engine: ProjectionEngine;
  #events = 0;
  #part = 0;
  #built = false;

  constructor(readonly url: string) {
    this.pool = createPool({ url, max: 10, logger });
    this.store = new PgEventStore({ pool: this.pool });
    this.engine = new ProjectionEngine({ store: this.store, pool: this.pool, projections, logger });
  }

  /** Adds histories until there are so many events. */
  async growTo(events: number): Promise<void> {
    const client = await this.pool.connect();
    try {
      while (this.#events < events) {
        const part = partOf(this.#part++).slice(0, events - this.#events);
        await copyEvents(client, part);
        this.#events += part.length;
      }
      await client.query('VACUUM (ANALYZE) events');
      await client.query('CHECKPOINT');
    } finally {
      client.release();
    }
    await this.engine.ensure();
  }

  /** The read model of recoveries, up to date. */
  async withRecoveries(): Promise<void> {
    if (!this.#built) await this.engine.rebuild(['recoveries']);
    this.#built = true;
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.pool.end();
  }
}
