import type pg from 'pg';
import type { PublicMessage } from '../../events/integration/message.js';
import { isOutage } from '../../kernel/outage.js';
import { fromParked, type ParkedForm } from './parkedForm.js';
import * as sequences from './parkedSequences.js';

export type { ParkedMessage, ParkedSequence } from './parkedSequences.js';

/** The sequence is being retried or discarded by somebody else. */
export class SequenceBusy extends Error {
  readonly code = 'sequence_busy';
  constructor(key: string) {
    super(`The messages of ${key} are being retried by somebody else.`);
    this.name = 'SequenceBusy';
  }
}

export interface RetryResult {
  readonly handled: number;
  readonly left: number;
  /** Why the first message that is left could not be handled. */
  readonly reason?: string;
}

type Handle = (message: PublicMessage) => Promise<void>;

/**
 * The operator's side of parking. A sequence is retried in its order by the consumers' own handler; each message
 * leaves it when it is handled, so a retry that was killed goes on where it was. Meanwhile consumers go on putting
 * later messages of the key behind the others, and the sequence ends only when, its row held, there is none left.
 */
export class ParkedMessages {
  constructor(
    private readonly pool: pg.Pool,
    /** What each consumer group does with a message. */
    private readonly handlers: Readonly<Record<string, Handle>>,
  ) {}

  list(): Promise<readonly sequences.ParkedSequence[]> {
    return sequences.listSequences(this.pool);
  }

  messages(group: string, key: string): Promise<readonly sequences.ParkedMessage[]> {
    return sequences.messagesOf(this.pool, group, key);
  }

  /** @throws SequenceBusy; an outage as it is: it says nothing about the message */
  retry(group: string, key: string, signal?: AbortSignal): Promise<RetryResult> {
    const handle = this.handlers[group];
    if (handle === undefined) throw new Error(`no consumer group ${group}`);
    return this.#alone(group, key, async () => {
      for (let handled = 0; ; handled++) {
        const first = signal?.aborted === true ? undefined : await sequences.firstOf(this.pool, group, key);
        if (first === undefined && (await sequences.endIfEmpty(this.pool, group, key)))
          return { handled, left: 0 };
        if (signal?.aborted === true) return this.#rest(group, key, handled, 'stopped before it was done');
        if (first === undefined) continue; // a message came in just now
        const reason = await this.#handle(handle, first.form);
        if (reason !== undefined) {
          await sequences.noteFailure(this.pool, group, key, reason);
          return this.#rest(group, key, handled, reason);
        }
        await sequences.remove(this.pool, first.number);
      }
    });
  }

  /**
   * Gives up the whole sequence, or only its first message so that the others can be retried.
   * @returns how many messages were given up
   * @throws SequenceBusy
   */
  discard(group: string, key: string, which: 'all' | 'first'): Promise<number> {
    return this.#alone(group, key, () => sequences.discard(this.pool, group, key, which));
  }

  async #handle(handle: Handle, form: ParkedForm): Promise<string | undefined> {
    try {
      const message = fromParked(form);
      if (message !== undefined) await handle(message);
      return undefined;
    } catch (error) {
      if (isOutage(error)) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #rest(group: string, key: string, handled: number, reason: string): Promise<RetryResult> {
    const { length: left } = await this.messages(group, key);
    return { handled, left, reason };
  }

  /** One at a time per sequence; the lock goes with the session, so a killed process leaves none behind. */
  async #alone<T>(group: string, key: string, work: () => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    try {
      if (!(await sequences.lock(client, group, key))) throw new SequenceBusy(key);
      return await work();
    } finally {
      // Closing the session frees the lock whatever became of it, but only after a while.
      await client.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
      client.release(true);
    }
  }
}
