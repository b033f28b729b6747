import type { Clock } from '../../src/kernel/clock.js';

/** Real time, moved forward. */
export class FastClock implements Clock {
  #ahead: number;

  constructor(from: Date) {
    this.#ahead = Math.max(0, from.getTime() - Date.now());
  }

  now(): Date {
    return new Date(Date.now() + this.#ahead);
  }

  advanceTo(instant: number): void {
    this.#ahead = Math.max(this.#ahead, instant - Date.now());
  }
}
