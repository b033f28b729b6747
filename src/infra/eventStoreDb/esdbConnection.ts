import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../kernel/logger.js';
import type { EsdbAddress } from './esdbAddress.js';
import { EsdbClient } from './esdbClient.js';
import { leaderOf, mayPass, NoAnswer, unavailable } from './esdbErrors.js';

/** How long an operation may take, and how long one try of it. */
export interface Patience {
  readonly totalMs: number;
  readonly tryMs: number;
}

/** A request makes several operations and still has to answer within three seconds: the first that fails ends it. */
export const APPENDING: Patience = { totalMs: 2200, tryMs: 1000 };
export const READING: Patience = { totalMs: 2200, tryMs: 2200 };
/** Large pages, read by nobody who waits for an answer. */
export const SCANNING: Patience = { totalMs: 30_000, tryMs: 15_000 };

const MAX_TRIES = 4;
const FIRST_PAUSE_MS = 50;
/** After an operation got no answer at all, others are refused at once for this long. */
const REST_MS = 1000;

/** What reads and appends are made of. */
export interface EsdbOperations {
  /**
   * Runs an operation that may safely be repeated, until it succeeds, is refused, or the patience is over.
   * @throws DomainError `unavailable`, or the server's refusal
   */
  run<T>(patience: Patience, operation: (client: EsdbClient, deadlineMs: number) => Promise<T>): Promise<T>;
}

/**
 * The connection for appends and reads: one client at a time, replaced when it fails, by one to the leader when the
 * node says that it does not lead.
 */
export class EsdbConnection implements EsdbOperations {
  #client: EsdbClient | undefined;
  #restsUntil = 0;
  #reason: unknown;
  #closed = false;

  constructor(
    private readonly address: EsdbAddress,
    private readonly logger: Logger,
  ) {}

  async run<T>(
    { totalMs, tryMs }: Patience,
    operation: (client: EsdbClient, deadlineMs: number) => Promise<T>,
  ): Promise<T> {
    if (this.#closed) throw new Error('the event store is closed');
    if (performance.now() < this.#restsUntil) throw unavailable(this.#reason);
    const end = performance.now() + totalMs;
    for (let tries = 1; ; tries++) {
      const client = (this.#client ??= new EsdbClient(this.address));
      const deadlineMs = Math.max(1, Math.min(tryMs, end - performance.now()));
      try {
        const result = await within(deadlineMs, operation(client, deadlineMs));
        this.#restsUntil = 0;
        return result;
      } catch (error) {
        if (!mayPass(error) || this.#closed) throw error;
        this.#replace(client, error);
        const pause = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random());
        if (tries === MAX_TRIES || performance.now() + pause >= end) throw this.#rest(error);
        await sleep(pause);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#client?.close();
  }

  #replace(failed: EsdbClient, error: unknown): void {
    // A slow search for a node goes on: the next try waits for it rather than starting anew.
    if (this.#client !== failed || (error instanceof NoAnswer && !failed.connected)) return;
    this.logger.debug({ err: error }, 'event store connection replaced');
    failed.close();
    const leader = leaderOf(error);
    this.#client = leader && new EsdbClient(this.address, leader);
  }

  #rest(reason: unknown): Error {
    this.#restsUntil = performance.now() + REST_MS;
    this.#reason = reason;
    return unavailable(reason);
  }
}

/** The server's own deadline is not relied on: a connection that hangs passes nothing on. */
const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // An answer that came while this process was busy is taken first.
    timer = setTimeout(() => setImmediate(() => setImmediate(() => reject(new NoAnswer(ms)))), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
};
