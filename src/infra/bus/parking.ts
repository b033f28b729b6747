import type { Db } from '../../kernel/db.js';

/** A message as a bus hands it to parking. */
export interface Parkable {
  /** What has to keep its order. */
  readonly key: string;
  readonly id: string;
  /** How it is stored: parkedForm.ts. */
  readonly stored: unknown;
}

/**
 * The consumers' side of parking. A message that cannot be handled opens a sequence for its key, and every later
 * message of the key is put behind it, until the operator has retried or discarded the whole sequence.
 *
 * Who adds to a sequence, and who ends one, does so holding its row: a message is either behind the others, and will
 * be handled after them, or finds the sequence gone, because all of it is handled.
 *
 * Which keys are parked is kept in memory, so that parking costs a healthy message nothing. A key that somebody else
 * has parked since is not missed: only who has the key's messages in hand parks it, so that was an owner that did not
 * know yet that it is none, and its message is in our hands as well.
 */
export class Parking {
  #keys = new Set<string>();

  constructor(
    private readonly db: Db,
    private readonly group: string,
  ) {}

  /** Learns which keys are parked: before the first message, and when keys may have come from another consumer. */
  async load(): Promise<void> {
    const { rows } = await this.db.query<{ key: string }>(
      'SELECT key FROM parked_sequences WHERE consumer_group = $1',
      [this.group],
    );
    this.#keys = new Set(rows.map(({ key }) => key));
  }

  /** Puts the message behind the others of its key. @returns false when there are none: it is to be handled */
  async behind({ key, id, stored }: Parkable): Promise<boolean> {
    if (!this.#keys.has(key)) return false;
    const { rows } = await this.db.query<{ parked: boolean }>(
      `WITH sequence AS (SELECT FROM parked_sequences WHERE consumer_group = $1 AND key = $2 FOR UPDATE),
            added AS (INSERT INTO parked_messages (consumer_group, key, message_id, message)
                      SELECT $1, $2, $3, $4 FROM sequence
                      ON CONFLICT (consumer_group, key, message_id) DO NOTHING)
       SELECT EXISTS (SELECT FROM sequence) AS parked`,
      [this.group, key, id, JSON.stringify(stored)],
    );
    if (rows[0]?.parked === true) return true;
    this.#keys.delete(key);
    return false;
  }

  /** Opens a sequence with a message that could not be handled. */
  async park({ key, id, stored }: Parkable, reason: string, tries: number): Promise<void> {
    await this.db.query(
      `WITH sequence AS (INSERT INTO parked_sequences (consumer_group, key, reason, tries)
                         VALUES ($1, $2, $5, $6)
                         ON CONFLICT (consumer_group, key) DO UPDATE SET tried_at = clock_timestamp()
                         RETURNING key)
       INSERT INTO parked_messages (consumer_group, key, message_id, message)
       SELECT $1, key, $3, $4 FROM sequence
       ON CONFLICT (consumer_group, key, message_id) DO NOTHING`,
      [this.group, key, id, JSON.stringify(stored), reason, tries],
    );
    this.#keys.add(key);
  }
}
