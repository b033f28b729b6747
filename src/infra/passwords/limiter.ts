import { DomainError } from '../../kernel/errors.js';

export interface Limits {
  /** How many may run at once. */
  readonly concurrency: number;
  /** How many may wait; one more is refused. */
  readonly queue: number;
}

/** Runs work a few at a time, first come first served, and refuses what could only wait for long. */
export class Limiter {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(readonly limits: Limits) {}

  /** @throws DomainError `too_busy` when the queue is full */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.limits.concurrency) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.limits.queue)
      throw new DomainError('too_busy', 'too many logins and registrations at the moment; try again shortly');
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes straight to the next in line, so that nobody can slip in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
