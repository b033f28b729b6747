import type { Clock } from '../kernel/clock.js';

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is told to go on: for demonstrations and tests. */
export class ManualClock implements Clock {
  #now: number;

  constructor(start: Date = new Date()) {
    this.#now = start.getTime();
  }

  now(): Date {
    return new Date(this.#now);
  }

  /** Never back: a time before now is passed over. */
  advanceTo(instant: Date): void {
    this.#now = Math.max(this.#now, instant.getTime());
  }
}
