import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../kernel/logger.js';

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/** Before the n-th attempt (from 1) after a failure: doubled each time, half of it jitter. @param chance 0 to 1 */
export const delayMs = (failures: number, chance: number): number => {
  const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return full / 2 + (chance * full) / 2;
};

/** Waits before the n-th attempt (from 1) after a failure; ends at the abort. */
export const backoff = async (failures: number, signal?: AbortSignal): Promise<void> => {
  await sleep(delayMs(failures, Math.random()), undefined, { signal }).catch(() => undefined);
};

/** Tries until it succeeds; undefined when the signal aborts: what follows a log outlives its server. */
export const persistently = async <T>(
  work: () => Promise<T>,
  logger: Logger,
  signal: AbortSignal,
): Promise<T | undefined> => {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      return await work();
    } catch (err) {
      logger.warn({ err, failures }, 'reading for a subscription failed, trying again');
      await backoff(failures, signal);
    }
  }
  return undefined;
};
