import { setTimeout as sleep } from 'node:timers/promises';
import type { ServeRole } from '../cli/services.js';
import type { Logger } from '../kernel/logger.js';
import type { RoleStates } from './roleStates.js';

/**
 * A stop has 25 s before the process is cut off. What a role has not finished by then (a PSP may take half a minute to
 * answer) is left as a crash would leave it: leases run out, checkpoints and offsets stand before it, and another
 * process takes it up.
 */
const STOP_MS = 18_000;

/** A role, until the signal aborts; then it finishes what it has in hand. */
export type Run = (signal: AbortSignal) => Promise<void>;
export type Runners = Partial<Record<ServeRole, Run>>;

export interface RunOptions {
  readonly states: RoleStates;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly stopMs?: number;
}

/** Resolves some time after the signal, or when `over`. */
const outOfTime = (signal: AbortSignal, over: AbortSignal, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const wait = () => void sleep(ms, undefined, { signal: over }).then(resolve, () => resolve());
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });

/** Runs roles side by side; when one ends or fails, the others are stopped too. @throws the first role's failure */
export const runRoles = async (runners: Runners, options: RunOptions): Promise<void> => {
  const { states, logger, signal, stopMs = STOP_MS } = options;
  const roles = Object.keys(runners) as ServeRole[];
  const failed = new AbortController();
  const over = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const unfinished = new Set(roles);
  const failures: unknown[] = [];
  stop.addEventListener('abort', () => states.stop(), { once: true });
  const running = roles.map(async (role) => {
    await runners[role]?.(stop).catch((error: unknown) => failures.push(error));
    unfinished.delete(role);
    failed.abort();
  });
  await Promise.race([Promise.all(running), outOfTime(stop, over.signal, stopMs)]);
  over.abort();
  if (unfinished.size > 0)
    logger.warn({ roles: [...unfinished] }, 'stopped with work in flight, left to the next process');
  if (failures.length > 0) throw failures[0];
};
