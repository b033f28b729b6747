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
      await sleep(RETRY_AFTER, undefined, { signal: consumer.signal }).catch(() => undefined);
    }
  }

  private async consumeAsLeader(client: PoolClient, consumer: ConsumeOptions): Promise<void> {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      [`bus:${consumer.group}`],
    );
    if (rows[0]?.locked !== true) return;
    const lost = new AbortController();
    client.on('error', (error) => lost.abort(error));
    await this.readLog({ ...consumer, signal: AbortSignal.any([consumer.signal, lost.signal]) });
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
          await progress.room(IN_FLIGHT);
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

  /** Writes progress behind the handlers: one statement at a time, the newest position wins. */
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
                 ON CONFLICT (consumer_group) DO UPDATE SET position = $2, updated_at = clock_timestamp()`,
          values: [group, String(position)],
        });
        saved = position;
        faults('saga:after-checkpoint');
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
