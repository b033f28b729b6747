import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../kernel/logger.js';

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 5000;

/** Waits before the n-th attempt (from 1) after a failure: doubled each time, half of it random; ends at the abort. */
export const backoff = async (failures: number, signal?: AbortSignal): Promise<void> => {
  const full = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  await sleep(full / 2 + (Math.random() * full) / 2, undefined, { signal }).catch(() => undefined);
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
