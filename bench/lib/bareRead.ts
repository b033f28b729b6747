import type pg from 'pg';

const PAGE = 5_000;

/**
 * What a rebuild or an export is held against: merely reading the same rows with `pg`, in pages by key, and parsing
 * their JSON. The pool's own parsers do the latter.
 */
export const bareRead = async (pool: pg.Pool, types?: readonly string[]): Promise<number> => {
  let events = 0;
  for (let after = '0'; ;) {
    const { rows } = await pool.query<{ position: string }>({
      name: types ? 'bare_page_of_types' : 'bare_page',
      text: `SELECT position, stream_id, revision, event_id, type, recorded_at, data, metadata FROM events
              WHERE position > $1 ${types ? 'AND type = ANY ($2)' : ''} ORDER BY position LIMIT ${PAGE}`,
      values: types ? [after, types] : [after],
    });
    const last = rows.at(-1);
    if (last === undefined) return events;
    events += rows.length;
    after = last.position;
  }
};
