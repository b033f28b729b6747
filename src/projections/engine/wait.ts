/** Resolves after `ms`, or as soon as one of the signals aborts. */
export const pause = (ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> =>
  new Promise((resolve) => {
    const live = signals.filter((signal) => signal !== undefined);
    if (live.some(({ aborted }) => aborted)) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      for (const signal of live) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of live) signal.addEventListener('abort', done);
  });

/** Doubles from `first` to `most` until reset. */
export class Backoff {
  #next: number;

  constructor(
    private readonly first: number,
    private readonly most: number,
  ) {
    this.#next = first;
  }

  next(): number {
    const ms = this.#next;
    this.#next = Math.min(ms * 2, this.most);
    return ms;
  }

  reset(): void {
    this.#next = this.first;
  }
}
