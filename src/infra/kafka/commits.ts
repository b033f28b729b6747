import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import type { Logger } from '../../kernel/logger.js';
import type { Ownership } from './ownership.js';

export interface CommitsOptions {
  readonly consumer: Pick<Consumer, 'commitOffsets'>;
  readonly ownership: Ownership;
  readonly topic: string;
  readonly logger: Logger;
  /** A step of the crash tests. */
  readonly after: () => void;
}

/** Gathers what finishes within it, so that a commit is not made for each message. */
const GATHER_MS = 20;
const TRY_AGAIN_MS = 500;

/**
 * Commits the offsets of the partitions that are ours behind the work, one request at a time. A commit that fails is
 * made again with what is true by then: it usually fails because the group rebalances.
 */
export class Commits {
  #writing: Promise<void> | undefined;
  #again = false;
  #ended = false;

  constructor(private readonly options: CommitsOptions) {}

  save(): void {
    this.#again = true;
    this.#writing ??= this.#persistently().finally(() => (this.#writing = undefined));
  }

  /** What is left, as far as the broker still takes it. */
  async last(): Promise<void> {
    this.#ended = true;
    await this.#writing;
    await this.#commit().catch((error: unknown) => this.#failed(error));
  }

  async #persistently(): Promise<void> {
    while (this.#again && !this.#ended) {
      await sleep(GATHER_MS);
      this.#again = false;
      try {
        await this.#commit();
      } catch (error) {
        this.#failed(error);
        this.#again = true;
        await sleep(TRY_AGAIN_MS);
      }
    }
  }

  #failed(error: unknown): void {
    this.options.logger.debug({ err: error }, 'offsets not committed');
  }

  async #commit(): Promise<void> {
    const { consumer, ownership, topic, after } = this.options;
    const due = [...ownership.all()]
      .map((owned) => ({ owned, offset: owned.handled + 1n }))
      .filter(({ owned, offset }) => offset > owned.committed);
    if (due.length === 0) return;
    const offsets = due.map(({ owned, offset }) => ({
      topic,
      partition: owned.partition,
      offset: String(offset),
    }));
    await consumer.commitOffsets(offsets);
    for (const { owned, offset } of due) owned.commit(offset);
    after();
  }
}
