import type pg from 'pg';
import type { Db } from '../../kernel/db.js';
import { loadRows } from './apply.js';
import { copyRows } from './copy.js';
import type { Model, Rows } from './fold.js';
import type { Generation } from './generations.js';
import { KeyFilter } from './keyFilter.js';
import type { Row } from './projection.js';
import { addKeyIndex, addPrimaryKey, quoted } from './table.js';
import { inTransaction } from './transaction.js';

interface Entry {
  /** Null: deleted. */
  row: Row | null;
  /** The table has a row of this key. */
  stored: boolean;
  dirty: boolean;
  /** When it was last touched, by the clock that all shadows of a rebuild share. */
  touched: number;
}

/** What the shadows of one rebuild share: the rows they hold together, and a clock for "least recently touched". */
export class Memory {
  rows = 0;
  clock = 0;

  constructor(readonly maxRows: number) {}
}

/**
 * The table being built: its rows are kept in memory and written out in bulk. Rows that were never stored are
 * copied in; rows that were written out, loaded again and changed are deleted and copied in one transaction.
 * The key's index is made when rows are first looked up, else at the end in one go.
 */
export class Shadow implements Rows {
  readonly #entries = new Map<string, Entry>();
  readonly #writtenOut = new KeyFilter();
  #keyed = false;

  constructor(
    readonly model: Model,
    readonly target: Generation,
    private readonly memory: Memory,
  ) {}

  get(key: string): Row | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.touched = ++this.memory.clock;
    return entry.row ?? undefined;
  }

  set(key: string, row: Row | null): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { row, stored: false, dirty: true, touched: ++this.memory.clock });
      this.memory.rows++;
      return;
    }
    entry.row = row;
    entry.dirty = true;
  }

  /** True once some rows are in the table only: then keys must be prepared before they are folded. */
  get spilled(): boolean {
    return !this.#writtenOut.empty;
  }

  /** Is the key possibly in the table, and not in memory? */
  isMissing(key: string): boolean {
    return !this.#entries.has(key) && this.#writtenOut.mayHave(key);
  }

  async load(client: pg.ClientBase, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.key(client);
    const loaded = await loadRows(client, this.model.codec, this.target.physical, keys);
    for (const [key, row] of loaded) {
      this.#entries.set(key, { row, stored: true, dirty: false, touched: ++this.memory.clock });
      this.memory.rows++;
    }
  }

  touchedTimes(): Iterable<number> {
    return [...this.#entries.values()].map(({ touched }) => touched);
  }

  /** Writes out, and forgets, what was last touched before `horizon`. */
  async evict(client: pg.ClientBase, horizon: number): Promise<void> {
    const leaving = [...this.#entries].filter(([, { touched }]) => touched < horizon);
    if (leaving.length === 0) return;
    await this.#store(client, leaving);
    for (const [key, { row }] of leaving) {
      this.#entries.delete(key);
      this.memory.rows--;
      if (row !== null) this.#writtenOut.add(key);
    }
  }

  /** Writes out everything. */
  writeOut(client: pg.ClientBase): Promise<void> {
    return this.evict(client, Infinity);
  }

  /** The unique index that the primary key will be; other indexes can be made beside it. */
  async key(client: Db): Promise<void> {
    if (this.#keyed) return;
    await addKeyIndex(client, this.target.physical);
    this.#keyed = true;
  }

  /** Turns it into the primary key. */
  async seal(db: Db): Promise<void> {
    await addPrimaryKey(db, this.target.physical);
  }

  async #store(client: pg.ClientBase, entries: readonly (readonly [string, Entry])[]): Promise<void> {
    const outdated = entries.filter(([, { dirty, stored }]) => dirty && stored).map(([key]) => key);
    if (!entries.some(([, { dirty }]) => dirty)) return;
    const { codec } = this.model;
    const rows = function* (): Generator<Row> {
      for (const [, { dirty, row }] of entries) if (dirty && row !== null) yield row;
    };
    await inTransaction(client, async () => {
      // A table that nobody reads and a crash throws away need not wait for the disk.
      await client.query('SET LOCAL synchronous_commit = off');
      if (outdated.length > 0) {
        const table = quoted(this.target.physical);
        await client.query(`DELETE FROM ${table} WHERE key = ANY ($1::${codec.keyType}[])`, [outdated]);
      }
      await copyRows(client, codec, this.target.physical, rows());
    });
  }
}

/** Makes room: the half of all rows that was least recently touched goes to the tables. */
export const evictHalf = async (client: pg.ClientBase, shadows: readonly Shadow[]): Promise<void> => {
  const times = Float64Array.from(shadows.flatMap((shadow) => [...shadow.touchedTimes()])).sort();
  const horizon = times[times.length >> 1] ?? 0;
  for (const shadow of shadows) await shadow.evict(client, Math.max(horizon, (times[0] ?? 0) + 1));
};
