/** Wakes everybody who waits; a wake-up that nobody waits for is forgotten. */
export class Signal {
  #waiting = new Set<() => void>();

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next notify, at the abort, or after `ms`; leaves no timer and no listener behind. */
  wait(abort?: AbortSignal, ms?: number): Promise<void> {
    if (abort?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        clearTimeout(timer);
        abort?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(wake, ms);
      this.#waiting.add(wake);
      abort?.addEventListener('abort', wake, { once: true });
    });
  }
}

/** The promise's outcome, or undefined as soon as the signal aborts; the promise's later failure is then nobody's. */
export const orAborted = async <T>(promise: Promise<T>, abort?: AbortSignal): Promise<T | undefined> => {
  if (abort === undefined) return promise;
  promise.catch(() => undefined);
  if (abort.aborted) return undefined;
  let stop: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    abort.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) abort.removeEventListener('abort', stop);
  }
};
