import type pg from 'pg';
import type { RecordedEvent } from '../../src/events/envelope.js';

/**
 * Writes events straight into the log of the Postgres store, at the positions and instants they carry shifted to
 * the log's end: thousands at a time, where appending stream by stream would take minutes.
 */
export const seedLog = async (pool: pg.Pool, events: readonly RecordedEvent[]): Promise<void> => {
  for (let from = 0; from < events.length; from += 5_000) {
    const rows = events.slice(from, from + 5_000).map((event, index) => ({
      n: index + 1,
      stream_id: event.stream,
      revision: String(event.revision),
      event_id: event.id,
      type: event.type,
      org_id: event.metadata.org_id,
      data: event.data,
      metadata: event.metadata,
      recorded_at: event.recorded_at,
    }));
    await pool.query(
      `WITH moved AS (
         UPDATE event_log_head
            SET position = position + $2, recorded_at = greatest(recorded_at, $3::timestamptz)
         RETURNING position - $2 AS base)
       INSERT INTO events (position, stream_id, revision, event_id, type, org_id, data, metadata, recorded_at)
       SELECT base + n, stream_id, revision, event_id, type, org_id, data, metadata, r.recorded_at
         FROM moved, json_to_recordset($1::json) AS r (n int, stream_id text, revision bigint, event_id uuid,
              type text, org_id uuid, data json, metadata json, recorded_at timestamptz)`,
      [JSON.stringify(rows), rows.length, rows.at(-1)?.recorded_at],
    );
  }
};
