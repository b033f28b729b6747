import type { Pool } from 'pg';
import type { ConsumeOptions } from '../../events/eventBus.js';
import type { EventStore } from '../../events/eventStore.js';
import { UnreadableMessage } from '../../events/integration/cloudEvents.js';
import type { PublicMessage } from '../../events/integration/message.js';
import type { Logger } from '../../kernel/logger.js';
import { isOutage } from '../../kernel/outage.js';
import { LaneRunner } from './laneRunner.js';
import { type Parkable, Parking } from './parking.js';

export interface IntakeOptions {
  readonly pool: Pool;
  /** Asked whether it answers before a message is given up. */
  readonly store: Pick<EventStore, 'head'>;
  readonly logger: Logger;
  /** Told of every message that could not be handled, beside the log. */
  readonly onError?: (error: unknown) => void;
}

/** A message on its way to the handler. */
export interface Incoming extends Parkable {
  /** @returns undefined for a message that is no business of this consumer @throws UnreadableMessage */
  readonly open: () => PublicMessage | undefined;
  /** False once it belongs to another consumer: then it is not begun. */
  readonly wanted?: () => boolean;
}

/** How often a message is tried before it is parked: about three seconds with the pauses of LaneRunner. */
export const TRIES = 6;

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 2000);

/** False in an outage, which says nothing about the message: that was no try. */
const isOwn = (error: unknown): boolean => error instanceof UnreadableMessage || !isOutage(error);

/**
 * What both buses do with a message: it is handled in its turn, tried again when that fails, and parked when it keeps
 * failing by its own fault. While the database or the event store is away it is tried for ever instead.
 */
export class Intake {
  readonly #lanes: LaneRunner;
  readonly #parking: Parking;

  constructor(
    private readonly options: IntakeOptions,
    private readonly consumer: Pick<ConsumeOptions, 'group' | 'concurrency' | 'signal' | 'handle'>,
  ) {
    const { logger, onError } = options;
    const { group, concurrency, signal } = consumer;
    this.#parking = new Parking(options.pool, group);
    this.#lanes = new LaneRunner({
      concurrency,
      signal,
      onFailure: (error, tries) => {
        logger.error({ err: error, group, tries }, 'message not handled, trying again');
        onError?.(error);
      },
    });
  }

  /** Before the first message, and when messages may have been another consumer's before. */
  refresh(): Promise<void> {
    return this.#parking.load();
  }

  /** Resolves true when the message is handled or parked, false when the consumer ended before. */
  take(incoming: Incoming): Promise<boolean> {
    let failures = 0;
    return this.#lanes.run(incoming.key, async () => {
      if (incoming.wanted?.() === false || (await this.#parking.behind(incoming))) return;
      try {
        const message = incoming.open();
        if (message !== undefined) await this.consumer.handle(message);
      } catch (error) {
        if (!isOwn(error)) throw error;
        if (!(await this.#isToBlame(error, ++failures))) throw error;
        await this.#park(incoming, error, failures);
      }
    });
  }

  async #isToBlame(error: unknown, failures: number): Promise<boolean> {
    if (error instanceof UnreadableMessage) return true; // no further try reads it
    if (failures < TRIES) return false;
    await this.options.store.head(); // throws when the event store is away
    return true;
  }

  async #park(incoming: Incoming, error: unknown, tries: number): Promise<void> {
    const { logger, onError } = this.options;
    await this.#parking.park(incoming, reasonOf(error), tries);
    const { key, id } = incoming;
    logger.error({ err: error, group: this.consumer.group, key, id, tries }, 'message parked');
    onError?.(error);
  }
}
