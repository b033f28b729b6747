import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { ConsumeOptions, EventBus } from '../../events/eventBus.js';
import type { EventStore } from '../../events/eventStore.js';
import { publicEventTypes, toPublicMessage } from '../../events/integration/toPublicMessage.js';
import { upcast } from '../../events/registry.js';
import type { Faults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { LaneRunner } from './laneRunner.js';
import { Progress } from './progress.js';

export interface PgEventBusOptions {
  readonly store: EventStore;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly faults: Faults;
  /** Told of every message that could not be handled, beside the log. */
  readonly onError?: (error: unknown) => void;
}

/** Messages handed out and not finished, at most: a bound of memory. */
const IN_FLIGHT = 1_000;
const RETRY_AFTER = 1_000;
/** Between two writes of progress while messages are in hand. */
const SAVE_EVERY = 100;

const pause = (signal: AbortSignal): Promise<void> =>
  sleep(RETRY_AFTER, undefined, { signal }).catch(() => undefined);

/**
 * The bus of the one-machine set-up: it reads the log itself. One process at a time consumes for a group (a session
 * advisory lock, freed by the server when the process dies); progress is one position per group, stored after the
 * handlers before it are done, so a crash hands messages over again and never loses one.
 */
export class PgEventBus implements EventBus {
  constructor(private readonly options: PgEventBusOptions) {}

  async consume(consumer: ConsumeOptions): Promise<void> {
    const { pool, logger } = this.options;
    while (!consumer.signal.aborted) {
      try {
        const client = await pool.connect();
        try {
          await this.consumeAsLeader(client, consumer);
        } finally {
          client.release(true); // closing the session frees the lock
        }
      } catch (error) {
        if (!consumer.signal.aborted)
          logger.warn({ err: error, group: consumer.group }, 'bus consumer interrupted');
      }
      await pause(consumer.signal);
    }
  }

  /** Waits for the lock, then reads, both on the one session. @throws when the session is lost */
  private async consumeAsLeader(client: PoolClient, consumer: ConsumeOptions): Promise<void> {
    const lost = new AbortController();
    const onLoss = (error?: Error): void =>
      lost.abort(error ?? new Error('the connection of the lock ended'));
    client.on('error', onLoss).on('end', onLoss);
    const signal = AbortSignal.any([consumer.signal, lost.signal]);
    while (!signal.aborted && !(await this.locked(client, consumer.group))) await pause(signal);
    if (!signal.aborted) await this.readLog({ ...consumer, signal });
    lost.signal.throwIfAborted();
  }

  private async locked(client: PoolClient, group: string): Promise<boolean> {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      [`bus:${group}`],
    );
    return rows[0]?.locked === true;
  }

  private async readLog(consumer: ConsumeOptions): Promise<void> {
    const { store, logger } = this.options;
    const { group, signal } = consumer;
    const progress = new Progress(await this.checkpoint(group));
    const saver = this.saver(group, progress);
    const lanes = new LaneRunner({
      concurrency: consumer.concurrency,
      signal,
      onFailure: (error, tries) => {
        logger.error({ err: error, group, tries }, 'message not handled, trying again');
        this.options.onError?.(error);
      },
    });
    const types = consumer.types.map((type) => publicEventTypes[type]);
    const running = new Set<Promise<void>>();
    try {
      for await (const delivery of store.subscribe({ after: progress.position, filter: { types }, signal })) {
        for (const event of delivery.kind === 'events' ? delivery.events : []) {
          const message = toPublicMessage(upcast(event));
          if (message === undefined) continue;
          await progress.room(IN_FLIGHT, signal);
          if (signal.aborted) return;
          progress.begin(event.position);
          const run: Promise<void> = lanes
            .run(message.key, () => consumer.handle(message))
            .then((done) => {
              if (done) progress.finish(event.position);
              saver.save();
            })
            .finally(() => running.delete(run));
          running.add(run);
        }
        progress.pass(delivery.position);
        saver.save();
      }
    } finally {
      await Promise.allSettled(running);
      await saver.last();
    }
  }

  private async checkpoint(group: string): Promise<bigint> {
    const { rows } = await this.options.pool.query<{ position: string }>(
      'SELECT position FROM bus_checkpoints WHERE consumer_group = $1',
      [group],
    );
    return BigInt(rows[0]?.position ?? 0);
  }

  /**
   * Writes progress behind the handlers, the newest position winning: one statement at a time, and while messages are
   * in hand one per SAVE_EVERY.
   */
  private saver(group: string, progress: Progress): { save: () => void; last: () => Promise<void> } {
    const { pool, faults, logger } = this.options;
    let saved = progress.position;
    let writing: Promise<void> | undefined;
    const write = async (): Promise<void> => {
      while (progress.position > saved) {
        const position = progress.position;
        await pool.query({
          name: 'bus-checkpoint',
          text: `INSERT INTO bus_checkpoints (consumer_group, position) VALUES ($1, $2)
                 ON CONFLICT (consumer_group) DO UPDATE
                 SET position = greatest(bus_checkpoints.position, excluded.position),
                     updated_at = clock_timestamp()`,
          values: [group, String(position)],
        });
        saved = position;
        faults('saga:after-checkpoint');
        await progress.room(1, AbortSignal.timeout(SAVE_EVERY));
      }
    };
    const save = (): void => {
      writing ??= write()
        .catch((error: unknown) => logger.warn({ err: error, group }, 'bus checkpoint not stored'))
        .finally(() => (writing = undefined));
    };
    return {
      save,
      last: async () => {
        await writing;
        await write();
      },
    };
  }
}
