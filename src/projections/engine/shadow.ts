import type pg from 'pg';
import type { Db } from '../../kernel/db.js';
import { loadRows } from './apply.js';
import { copyRows } from './copy.js';
import { intoTable } from './errors.js';
import type { Cell, Model, Rows } from './fold.js';
import type { Generation } from './generations.js';
import { KeyFilter } from './keyFilter.js';
import type { Lane } from './lane.js';
import type { Row } from './projection.js';
import { addKeyIndex, addPrimaryKey, quoted } from './table.js';
import { inTransaction } from './transaction.js';

interface Entry extends Cell {
  /** The table has a row of this key. */
  stored: boolean;
  dirty: boolean;
  /** The span of time in which it was touched last. */
  span: number;
}

/**
 * What the shadows of one rebuild share: how many rows they hold, together at most `maxRows`, and time, counted in
 * spans. A span ends when a quarter of the rows that may be held were touched in it.
 */
export class Memory {
  rows = 0;
  span = 0;
  /** The span of the rows that are next to leave. */
  oldest = 0;
  /** Rows touched in this span. */
  touched = 0;

  constructor(readonly maxRows: number) {}

  /** How many more rows may be touched before the span ends. */
  get room(): number {
    return this.#quarter - this.touched;
  }

  /** Is there no place for those that another span may add? */
  get full(): boolean {
    return this.rows + this.#quarter > this.maxRows;
  }

  nextSpan(): void {
    this.span++;
    this.touched = 0;
  }

  get #quarter(): number {
    return Math.max(1, Math.floor(this.maxRows / 4));
  }
}

/**
 * The table being built: its rows are kept in memory and written in bulk. Rows that were never stored are copied in;
 * rows that were stored and have changed since are deleted and copied in one transaction.
 * The key's index is made when rows are first looked up, else at the end in one go.
 *
 * Rows that were not touched for a span are written while the fold goes on, for most of them will not change any more;
 * when memory is full they leave it, those not touched for longest first.
 */
export class Shadow implements Rows {
  readonly #entries = new Map<string, Entry>();
  #writing: Promise<void> = Promise.resolve();
  readonly #gone = new KeyFilter();
  #keyed = false;

  constructor(
    readonly model: Model,
    readonly target: Generation,
    private readonly memory: Memory,
    private readonly lane: Lane,
  ) {}

  at(key: string): Cell | undefined {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      if (this.#gone.mayHave(key)) return undefined;
      entry = this.#add(key, null, false);
    }
    entry.dirty = true;
    if (entry.span !== this.memory.span) {
      entry.span = this.memory.span;
      this.memory.touched++;
    }
    return entry;
  }

  /** Did a row of this key, possibly, leave memory? */
  isMissing(key: string): boolean {
    return !this.#entries.has(key) && this.#gone.mayHave(key);
  }

  async load(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const loaded = await this.lane.run(async (client) => {
      await this.key(client);
      return loadRows(client, this.model.codec, this.target.physical, keys);
    });
    for (const key of keys) this.#add(key, loaded.get(key) ?? null, loaded.has(key));
  }

  /** Begins to write what was not touched in this span, once what was begun before is done. */
  async writeIdle(): Promise<void> {
    await this.#writing;
    const { span } = this.memory;
    this.#write([...this.#entries].filter(([, entry]) => entry.dirty && entry.span < span));
  }

  /** Writes everything. */
  async writeOut(): Promise<void> {
    await this.#writing;
    this.#write([...this.#entries].filter(([, entry]) => entry.dirty));
    await this.#writing;
  }

  /** Forgets the rows that were not touched since a span: they are written, or being written if it is the last one. */
  async forget(span: number): Promise<void> {
    if (span === this.memory.span - 1) await this.#writing;
    for (const [key, entry] of this.#entries) {
      if (entry.dirty || entry.span > span) continue;
      this.#entries.delete(key);
      this.memory.rows--;
      if (entry.stored) this.#gone.add(key);
    }
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

  #add(key: string, row: Row | null, stored: boolean): Entry {
    const entry = { row, stored, dirty: false, span: this.memory.span };
    this.#entries.set(key, entry);
    this.memory.rows++;
    this.memory.touched++;
    return entry;
  }

  /** A row that is touched meanwhile is dirty again, and written once more later. */
  #write(dirty: readonly (readonly [string, Entry])[]): void {
    if (dirty.length === 0) return;
    this.#writing = intoTable(
      this.model.name,
      this.lane.run((client) => this.#store(client, dirty)),
    );
    this.#writing.catch(() => undefined); // whoever waits for it next learns of it
  }

  async #store(client: pg.ClientBase, dirty: readonly (readonly [string, Entry])[]): Promise<void> {
    const { codec, finish } = this.model;
    const outdated = dirty.filter(([, { stored }]) => stored).map(([key]) => key);
    const rows = function* (): Generator<Row> {
      for (const [, entry] of dirty) {
        entry.dirty = false;
        entry.stored = entry.row !== null;
        if (entry.row !== null) yield finish(entry.row);
      }
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
