import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../../kernel/db.js';
import type { Position } from '../../events/envelope.js';
import type { Logger } from '../../kernel/logger.js';

/** Somebody else has moved the checkpoint: another leader, or an operator. Read it again before going on. */
export class CheckpointMoved extends Error {
  constructor(name: string) {
    super(`the checkpoint of ${name} was moved by somebody else`);
    this.name = 'CheckpointMoved';
  }
}

/** How far a reader of the log has come; only who knows where it stands can move it, so a stale leader cannot. */
export class PgCheckpoint {
  #known: Position = 0n;

  constructor(
    private readonly db: Db,
    private readonly name: string,
  ) {}

  async load(): Promise<Position> {
    await this.db.query(
      'INSERT INTO bus_checkpoints (consumer_group, position) VALUES ($1, 0) ON CONFLICT DO NOTHING',
      [this.name],
    );
    const { rows } = await this.db.query<{ position: string }>(
      'SELECT position FROM bus_checkpoints WHERE consumer_group = $1',
      [this.name],
    );
    return (this.#known = BigInt(rows[0]?.position ?? 0));
  }

  /** @throws CheckpointMoved */
  async moveTo(position: Position): Promise<void> {
    const { rowCount } = await this.db.query({
      name: 'bus-checkpoint',
      text: `UPDATE bus_checkpoints SET position = $3, updated_at = clock_timestamp()
              WHERE consumer_group = $1 AND position = $2`,
      values: [this.name, String(this.#known), String(position)],
    });
    if (rowCount !== 1) throw new CheckpointMoved(this.name);
    this.#known = position;
  }
}

export interface SaverOptions {
  /** Where things stand now. */
  readonly position: () => Position;
  readonly write: (position: Position) => Promise<void>;
  readonly logger: Logger;
  /** Waits between two writes: until there is nothing left to save soon, or for that long. */
  readonly rest: (ms: number) => Promise<void>;
  /** The checkpoint is somebody else's now. */
  readonly onMoved: (error: CheckpointMoved) => void;
}

const TRY_AGAIN_MS = 500;
/** Between two writes while work is under way: a write per message would compete with the appends. */
const SAVE_EVERY_MS = 100;

/** Writes progress behind the work: one statement at a time, the newest position wins, until it is written. */
export class Saver {
  readonly #ended = new AbortController();
  #saved: Position;
  #writing: Promise<void> | undefined;

  constructor(private readonly options: SaverOptions) {
    this.#saved = options.position();
  }

  save(): void {
    this.#writing ??= this.#persistently().finally(() => (this.#writing = undefined));
  }

  /** Writes what is left, and then no more. */
  async last(): Promise<void> {
    this.#ended.abort();
    await this.#writing;
    await this.#write();
  }

  async #persistently(): Promise<void> {
    const { signal } = this.#ended;
    const { logger, onMoved } = this.options;
    for (;;) {
      try {
        return await this.#write();
      } catch (error) {
        if (error instanceof CheckpointMoved) return onMoved(error);
        logger.warn({ err: error }, 'checkpoint not stored, trying again');
      }
      await sleep(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  async #write(): Promise<void> {
    for (let position = this.options.position(); position > this.#saved; position = this.options.position()) {
      await this.options.write(position);
      this.#saved = position;
      if (!this.#ended.signal.aborted) await this.options.rest(SAVE_EVERY_MS);
    }
  }
}
