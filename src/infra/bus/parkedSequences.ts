/** One function per statement on parked sequences, for the operator's side. */
import type pg from 'pg';
import type { Db } from '../../kernel/db.js';
import type { ParkedForm } from './parkedForm.js';

export interface ParkedSequence {
  readonly group: string;
  readonly key: string;
  readonly messages: number;
  readonly reason: string;
  readonly tries: number;
  readonly parked_at: string;
  readonly tried_at: string;
}

export interface ParkedMessage {
  readonly number: string;
  readonly id: string;
  readonly parked_at: string;
  readonly form: ParkedForm;
}

export const listSequences = async (db: Db): Promise<ParkedSequence[]> => {
  const { rows } = await db.query<ParkedSequence>(
    `SELECT s.consumer_group AS "group", s.key, s.reason, s.tries, s.parked_at, s.tried_at,
            (SELECT count(*)::integer FROM parked_messages m
              WHERE m.consumer_group = s.consumer_group AND m.key = s.key) AS messages
       FROM parked_sequences s
      ORDER BY s.parked_at, s.consumer_group, s.key`,
  );
  return rows;
};

const MESSAGES = `
  SELECT number, message_id AS id, parked_at, message AS form FROM parked_messages
   WHERE consumer_group = $1 AND key = $2 ORDER BY number`;

export const messagesOf = async (db: Db, group: string, key: string): Promise<ParkedMessage[]> =>
  (await db.query<ParkedMessage>(MESSAGES, [group, key])).rows;

export const firstOf = async (db: Db, group: string, key: string): Promise<ParkedMessage | undefined> =>
  (await db.query<ParkedMessage>(`${MESSAGES} LIMIT 1`, [group, key])).rows[0];

export const remove = (db: Db, number: string): Promise<unknown> =>
  db.query('DELETE FROM parked_messages WHERE number = $1', [number]);

export const noteFailure = (db: Db, group: string, key: string, reason: string): Promise<unknown> =>
  db.query(
    `UPDATE parked_sequences SET reason = $3, tries = tries + 1, tried_at = clock_timestamp()
      WHERE consumer_group = $1 AND key = $2`,
    [group, key, reason.slice(0, 2000)],
  );

export const lock = async (db: Db, group: string, key: string): Promise<boolean> => {
  const { rows } = await db.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
    [`parked:${group}:${key}`],
  );
  return rows[0]?.locked === true;
};

/** Runs with the sequence's row held, so that no consumer adds to it meanwhile. */
const holding = async <T>(
  pool: pg.Pool,
  group: string,
  key: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT FROM parked_sequences WHERE consumer_group = $1 AND key = $2 FOR UPDATE', [
      group,
      key,
    ]);
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
};

/** A statement of its own after the row is held: it sees what consumers have added up to then. */
const deleteIfEmpty = async (db: Db, group: string, key: string): Promise<boolean> => {
  const { rows } = await db.query<{ left: boolean }>(
    `SELECT EXISTS (SELECT FROM parked_messages WHERE consumer_group = $1 AND key = $2) AS left`,
    [group, key],
  );
  if (rows[0]?.left === true) return false;
  await db.query('DELETE FROM parked_sequences WHERE consumer_group = $1 AND key = $2', [group, key]);
  return true;
};

/** Ends the sequence. @returns false when there is a message left in it */
export const endIfEmpty = (pool: pg.Pool, group: string, key: string): Promise<boolean> =>
  holding(pool, group, key, (client) => deleteIfEmpty(client, group, key));

export const discard = (pool: pg.Pool, group: string, key: string, which: 'all' | 'first'): Promise<number> =>
  holding(pool, group, key, async (client) => {
    const { rowCount } = await client.query(
      `DELETE FROM parked_messages WHERE number IN (
         SELECT number FROM parked_messages WHERE consumer_group = $1 AND key = $2 ORDER BY number LIMIT $3)`,
      [group, key, which === 'first' ? 1 : null],
    );
    await deleteIfEmpty(client, group, key);
    return rowCount ?? 0;
  });
