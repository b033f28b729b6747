import type { Pool } from 'pg';
import type { RecordedEvent } from '../../events/envelope.js';
import type { ConsumeOptions, EventBus } from '../../events/eventBus.js';
import type { EventStore } from '../../events/eventStore.js';
import { publicEventTypes, toPublicMessage } from '../../events/integration/toPublicMessage.js';
import { upcast } from '../../events/registry.js';
import type { Faults } from '../../kernel/faults.js';
import type { Logger } from '../../kernel/logger.js';
import { lead } from '../postgres/leadership.js';
import { Intake } from './intake.js';
import { PgCheckpoint, Saver } from './pgCheckpoint.js';
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

/**
 * The bus of the one-machine set-up: it reads the log itself. One process at a time consumes for a group; progress is
 * one position per group, stored after the handlers before it are done, so a crash hands messages over again and never
 * loses one.
 */
export class PgEventBus implements EventBus {
  constructor(private readonly options: PgEventBusOptions) {}

  async consume(consumer: ConsumeOptions): Promise<void> {
    const { pool, logger } = this.options;
    const { group, signal } = consumer;
    await lead({ pool, logger, name: `bus:${group}` }, signal, async (elected) => {
      const fenced = new AbortController();
      await this.#readLog({ ...consumer, signal: AbortSignal.any([elected, fenced.signal]) }, fenced);
    });
  }

  async #readLog(consumer: ConsumeOptions, fenced: AbortController): Promise<void> {
    const { store, pool } = this.options;
    const { group, signal } = consumer;
    const checkpoint = new PgCheckpoint(pool, group);
    const progress = new Progress(await checkpoint.load());
    const saver = this.#saver(group, progress, checkpoint, fenced);
    const intake = new Intake(this.options, consumer);
    await intake.refresh();
    const types = consumer.types.map((type) => publicEventTypes[type]);
    const running = new Set<Promise<void>>();
    try {
      for await (const delivery of store.subscribe({ after: progress.position, filter: { types }, signal })) {
        for (const event of delivery.kind === 'events' ? delivery.events : []) {
          await progress.room(IN_FLIGHT, signal);
          if (signal.aborted) break;
          progress.begin(event.position);
          const run: Promise<void> = this.#handle(intake, event)
            .then((done) => {
              if (done) progress.finish(event.position);
              saver.save();
            })
            .finally(() => running.delete(run));
          running.add(run);
        }
        if (signal.aborted) break;
        progress.pass(delivery.position);
        saver.save();
      }
    } finally {
      await Promise.allSettled(running);
      if (!fenced.signal.aborted) await saver.last();
    }
  }

  #handle(intake: Intake, event: RecordedEvent): Promise<boolean> {
    const message = toPublicMessage(upcast(event));
    if (message === undefined) return Promise.resolve(true);
    return intake.take({ key: message.key, id: message.id, stored: { message }, open: () => message });
  }

  #saver(group: string, progress: Progress, checkpoint: PgCheckpoint, fenced: AbortController): Saver {
    const { faults, logger } = this.options;
    return new Saver({
      position: () => progress.position,
      write: async (position) => {
        await checkpoint.moveTo(position);
        faults('saga:after-checkpoint');
      },
      rest: (ms) => progress.room(1, AbortSignal.timeout(ms)),
      logger: logger.child({ group }),
      onMoved: (error) => {
        logger.warn({ err: error, group }, 'another consumer has taken over');
        fenced.abort(error);
      },
    });
  }
}
