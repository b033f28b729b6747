import type { Logger } from '../kernel/logger.js';

/** What was opened, to be closed in reverse order. */
export class Closers {
  readonly #stack: { readonly what: string; readonly close: () => unknown }[] = [];

  push(what: string, close: () => unknown): void {
    this.#stack.push({ what, close });
  }

  /** Closes everything, also when one of the closers fails. */
  async close(logger: Logger): Promise<void> {
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      try {
        await next.close();
      } catch (error) {
        logger.error({ err: error, what: next.what }, 'closing failed');
      }
    }
  }
}
