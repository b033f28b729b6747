import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../kernel/logger.js';
import { spendingTime, timeLeft, within } from '../../kernel/timeBudget.js';
import type { EsdbAddress } from './esdbAddress.js';
import { EsdbClient } from './esdbClient.js';
import { leaderOf, mayPass, NoAnswer, unavailable } from './esdbErrors.js';

/** How long an operation may take, and how long one try of it. */
export interface Patience {
  readonly totalMs: number;
  readonly tryMs: number;
  /** It is part of a request's time budget. */
  readonly budgeted: boolean;
}

/** What a request may wait for the log in all: it has to answer within three seconds. */
export const REQUEST_MS = 2200;
export const APPENDING: Patience = { totalMs: REQUEST_MS, tryMs: 1000, budgeted: true };
export const READING: Patience = { totalMs: REQUEST_MS, tryMs: REQUEST_MS, budgeted: true };
/** Large pages, read by nobody who waits for an answer. */
export const SCANNING: Patience = { totalMs: 30_000, tryMs: 15_000, budgeted: false };

const MAX_TRIES = 4;
const FIRST_PAUSE_MS = 50;
/** After an operation got no answer at all, others are refused at once for this long. */
const REST_MS = 1000;
/** A silence that its request cut shorter than this says nothing of the server. */
const SILENCE_MS = 900;

/** What reads and appends are made of. */
export interface EsdbOperations {
  /**
   * Runs an operation that may safely be repeated, until it succeeds, is refused, or the patience is over.
   * @throws DomainError `unavailable`, or the server's refusal
   */
  run<T>(patience: Patience, operation: Operation<T>): Promise<T>;
}

type Operation<T> = (client: EsdbClient, deadlineMs: number) => Promise<T>;

/** Whether a failure speaks against the connection: silence does, once it has lasted. */
const tells = (error: unknown, since: number): boolean =>
  !(error instanceof NoAnswer) || performance.now() - since >= SILENCE_MS;

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

  run<T>(patience: Patience, operation: Operation<T>): Promise<T> {
    if (!patience.budgeted) return this.#run(patience, operation);
    return spendingTime(() =>
      this.#run({ ...patience, totalMs: Math.min(patience.totalMs, timeLeft()) }, operation),
    );
  }

  async #run<T>({ totalMs, tryMs }: Patience, operation: Operation<T>): Promise<T> {
    if (this.#closed) throw new Error('the event store is closed');
    const begun = performance.now();
    if (begun < this.#restsUntil) throw unavailable(this.#reason);
    if (totalMs <= 0) throw unavailable(new NoAnswer(0));
    const end = begun + totalMs;
    for (let tries = 1; ; tries++) {
      const tried = performance.now();
      const client = (this.#client ??= new EsdbClient(this.address));
      const deadlineMs = Math.max(1, Math.min(tryMs, end - tried));
      try {
        const result = await within(
          deadlineMs,
          operation(client, deadlineMs),
          () => new NoAnswer(deadlineMs),
        );
        this.#restsUntil = 0;
        return result;
      } catch (error) {
        if (!mayPass(error) || this.#closed) throw error;
        if (tells(error, tried)) this.#replace(client, error);
        const pause = FIRST_PAUSE_MS * 2 ** (tries - 1) * (0.5 + Math.random());
        if (tries === MAX_TRIES || performance.now() + pause >= end)
          throw tells(error, begun) ? this.#rest(error) : unavailable(error);
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
