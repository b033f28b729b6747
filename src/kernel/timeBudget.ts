import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError } from './errors.js';

/*
 * A request waits for the log more than once and is still to be answered in time: all that it waits shares one budget.
 * What it does otherwise (reading a body, hashing a password, asking a PSP) takes nothing from it.
 */
class TimeBudget {
  #left: number;
  #waits = 0;
  #since = 0;

  constructor(ms: number) {
    this.#left = ms;
  }

  /** Milliseconds; waits that overlap count once. */
  get left(): number {
    return this.#waits === 0 ? this.#left : this.#left - (performance.now() - this.#since);
  }

  async spend<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#waits++ === 0) this.#since = performance.now();
    try {
      return await wait();
    } finally {
      if (--this.#waits === 0) this.#left -= performance.now() - this.#since;
    }
  }
}

const budgets = new AsyncLocalStorage<TimeBudget>();

/** Does work that may wait for so long, in all. */
export const withTimeBudget = <T>(ms: number, work: () => T): T => budgets.run(new TimeBudget(ms), work);

/** How many milliseconds whoever asks may still wait; Infinity without a budget. */
export const timeLeft = (): number => budgets.getStore()?.left ?? Infinity;

/** Waits at the cost of the budget, if there is one. */
export const spendingTime = <T>(wait: () => Promise<T>): Promise<T> =>
  budgets.getStore()?.spend(wait) ?? wait();

/** The promise's outcome when it comes within `ms`; then its later failure is nobody's. */
export const within = async <T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    // An answer that came while this process was busy is taken first.
    timer = setTimeout(() => setImmediate(() => setImmediate(() => reject(late()))), ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
};

const late = (): Error => new DomainError('unavailable', 'The request has waited too long; try again');

/** The outcome of what others do as well, as long as the budget allows. @throws DomainError `unavailable` */
export const inTime = <T>(promise: Promise<T>): Promise<T> =>
  budgets.getStore()?.spend(() => within(Math.max(0, timeLeft()), promise, late)) ?? promise;
