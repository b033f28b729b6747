import type pg from 'pg';
import type { Db } from '../../kernel/db.js';
import { loadRows } from './apply.js';
import { copyRows } from './copy.js';
import { intoTable } from './errors.js';
import type { Cell, Model, Rows } from './fold.js';
import type { Generation } from './generations.js';
import { KeyFilter } from './keyFilter.js';
import type { Row } from './projection.js';
import { addKeyIndex, addPrimaryKey, quoted } from './table.js';
import { inTransaction } from './transaction.js';

interface Entry extends Cell {
  /** The table has a row of this key. */
  stored: boolean;
  dirty: boolean;
}

/** What the shadows of one rebuild share: how many rows they hold, together at most `maxRows`. */
export class Memory {
  /** Rows held. */
  rows = 0;
  /** Those of them that were touched since the last time that room was made. */
  young = 0;

  constructor(readonly maxRows: number) {}

  /** How many more rows may be touched before room must be made. */
  get room(): number {
    return Math.max(1, this.maxRows >> 1) - this.young;
  }
}

/**
 * The table being built: its rows are kept in memory and written out in bulk. Rows that were never stored are
 * copied in; rows that were written out, loaded again and changed are deleted and copied in one transaction.
 * The key's index is made when rows are first looked up, else at the end in one go.
 *
 * Rows are held in two halves: a row that is touched moves to the young one, and when that is full the old one is
 * written out and the young one becomes old. So what leaves is what was not touched for longest, without any order
 * being kept.
 */
export class Shadow implements Rows {
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();
  readonly #writtenOut = new KeyFilter();
  #keyed = false;

  constructor(
    readonly model: Model,
    readonly target: Generation,
    private readonly memory: Memory,
  ) {}

  at(key: string): Cell {
    const entry = this.#touch(key) ?? this.#add(key, { row: null, stored: false, dirty: true });
    entry.dirty = true;
    return entry;
  }

  /** True once some rows are in the table only: then keys must be prepared before they are folded. */
  get spilled(): boolean {
    return !this.#writtenOut.empty;
  }

  /** Is the key possibly in the table, and not in memory? */
  isMissing(key: string): boolean {
    return !this.#young.has(key) && !this.#old.has(key) && this.#writtenOut.mayHave(key);
  }

  async load(client: pg.ClientBase, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await this.key(client);
    const loaded = await loadRows(client, this.model.codec, this.target.physical, keys);
    for (const [key, row] of loaded) this.#add(key, { row, stored: true, dirty: false });
  }

  /** Writes out, and forgets, the rows that were not touched since the last time. */
  async makeRoom(client: pg.ClientBase): Promise<void> {
    const leaving = this.#old;
    await intoTable(this.model.name, this.#store(client, leaving));
    for (const [key, { row }] of leaving) if (row !== null) this.#writtenOut.add(key);
    this.memory.rows -= leaving.size;
    this.memory.young -= this.#young.size;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Writes out everything. */
  async writeOut(client: pg.ClientBase): Promise<void> {
    await this.makeRoom(client);
    await this.makeRoom(client);
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

  #touch(key: string): Entry | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#young.set(key, old);
    this.memory.young++;
    return old;
  }

  #add(key: string, entry: Entry): Entry {
    this.#young.set(key, entry);
    this.memory.young++;
    this.memory.rows++;
    return entry;
  }

  async #store(client: pg.ClientBase, entries: ReadonlyMap<string, Entry>): Promise<void> {
    const dirty = [...entries].filter(([, entry]) => entry.dirty);
    if (dirty.length === 0) return;
    const { codec } = this.model;
    const outdated = dirty.filter(([, { stored }]) => stored).map(([key]) => key);
    const rows = function* (): Generator<Row> {
      for (const [, { row }] of dirty) if (row !== null) yield row;
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
