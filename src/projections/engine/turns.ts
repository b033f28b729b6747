import type { Model } from './fold.js';
import { pause } from './wait.js';

/** Long enough that all who start together have asked. */
const GATHER_MS = 100;

/** One rebuild at a time; of the models that wait, the first in the list goes first. */
export class Turns {
  readonly #waiting = new Map<Model, () => void>();
  #taken = false;

  constructor(private readonly order: readonly Model[]) {}

  async take<T>(model: Model, work: () => Promise<T>): Promise<T> {
    const turn = new Promise<void>((resolve) => this.#waiting.set(model, resolve));
    if (!this.#taken) {
      this.#taken = true;
      await pause(GATHER_MS);
      this.#next();
    }
    await turn;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #next(): void {
    const model = this.order.find((one) => this.#waiting.has(one));
    this.#taken = model !== undefined;
    if (model === undefined) return;
    this.#waiting.get(model)?.();
    this.#waiting.delete(model);
  }
}
