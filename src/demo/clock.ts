import { DAY, HOUR } from '../kernel/clock.js';
import type { DemoSystem } from './system.js';

const START_HOUR = 9;
/** Finer at first, when much happens; every wait of the demo's policy ends within one step, whatever its jitter. */
const stepAfter = (elapsed: number): number => (elapsed < 4 * DAY ? DAY / 2 : DAY);

/** The next time it is nine in the morning (UTC): a start that makes the dates easy to read. */
export const nextMorning = (now: Date): Date => {
  const morning = Math.floor(now.getTime() / DAY) * DAY + START_HOUR * HOUR;
  return new Date(morning > now.getTime() ? morning : morning + DAY);
};

/**
 * Where the clock jumps next: to the end of the half day (later: day) in which a timer is due. What is due within the
 * hour, like the question for a lost answer, is not kept waiting.
 */
export const nextStop = (start: Date, now: Date, due: Date): Date => {
  if (due.getTime() - now.getTime() <= HOUR) return new Date(Math.max(due.getTime(), now.getTime()));
  const elapsed = due.getTime() - start.getTime();
  const step = stepAfter(elapsed);
  return new Date(start.getTime() + Math.ceil(elapsed / step) * step);
};

/** Lets the demo's clock go on at the pace of a real one until the signal aborts. */
export const tick = (system: DemoSystem, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const [from, began] = [system.now().getTime(), performance.now()];
    const timer = setInterval(() => system.advanceTo(new Date(from + performance.now() - began)), 500);
    const stop = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
