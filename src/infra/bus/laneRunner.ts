import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LaneOptions {
  /** Tasks that run at the same time, at most. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown, tries: number) => void;
}

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** Runs tasks of different keys side by side and those of one key in order; a failing task holds up its key only. */
export class LaneRunner {
  private readonly tails = new Map<string, Promise<void>>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(private readonly options: LaneOptions) {
    setMaxListeners(0, options.signal); // each task that waits for its next try listens to it
  }

  /** Resolves true when the task is done, false when the signal aborted before it was. */
  run(key: string, task: () => Promise<void>): Promise<boolean> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const result = before.then(() => this.untilDone(task));
    const tail = result.then(() => {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    });
    this.tails.set(key, tail);
    return result;
  }

  private async untilDone(task: () => Promise<void>): Promise<boolean> {
    const { signal, onFailure } = this.options;
    for (let tries = 1; !signal.aborted; tries++) {
      await this.enter();
      try {
        if (signal.aborted) return false;
        await task();
        return true;
      } catch (error) {
        onFailure(error, tries);
      } finally {
        this.leave();
      }
      await sleep(Math.min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT), undefined, { signal }).catch(
        () => undefined,
      );
    }
    return false;
  }

  private async enter(): Promise<void> {
    if (this.running < this.options.concurrency) {
      this.running++;
      return;
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve)); // the place is handed over by leave()
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running--;
    else next();
  }
}
