/**
 * Some roles of the system in a process of their own, which kills itself at the n-th visit of a named point. With
 * `pace` its clock runs on to the next timer as soon as every payment has its recovery and nothing that is due is left.
 */
import type { CliServices, ServeRole } from '../../../src/cli/services.js';
import { readConfig } from '../../../src/config.js';
import type { FaultPoint } from '../../../src/kernel/faults.js';
import { compose } from '../../../src/main.js';
import { FastClock } from '../fastClock.js';

export interface RoleOrders {
  readonly roles: readonly ServeRole[];
  readonly pace?: boolean;
  readonly kill?: { readonly point: FaultPoint; readonly visit: number };
}

const LOOK_EVERY = 50;
/** How much further than the next timer the clock runs, so that many fall due together. */
const STRIDE = 6 * 3_600_000;

interface Standing {
  readonly next: string | null;
  readonly idle: boolean;
}

const standing = async ({ db }: CliServices): Promise<Standing | undefined> => {
  const { rows } = await db.query<Standing>(`
    SELECT (SELECT min(due_at) FROM timers) AS next,
           NOT EXISTS (SELECT FROM timer_leases WHERE leased_until > clock_timestamp())
             AND (SELECT count(*) FROM payments) = (SELECT count(*) FROM recoveries)
             AND (SELECT bool_and(position = (SELECT position FROM event_log_head))
                    FROM projection_generations WHERE state = 'active') AS idle`);
  return rows[0];
};

const passTime = async (services: CliServices, clock: FastClock, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    const at = await standing(services).catch(() => undefined); // the tables may not be there yet
    if (at?.idle !== true || at.next === null) continue;
    if (Date.parse(at.next) > clock.now().getTime()) clock.advanceTo(Date.parse(at.next) + STRIDE);
  }
};

const live = async ({ roles, pace, kill }: RoleOrders, signal: AbortSignal): Promise<void> => {
  const clock = new FastClock(new Date());
  let visits = 0;
  const faults = (point: FaultPoint): void => {
    if (point === kill?.point && ++visits === kill.visit) process.kill(process.pid, 'SIGKILL');
  };
  const services = await compose(readConfig(), 'serve', { faults, clock });
  try {
    const serving = services.serve({ roles, signal });
    await Promise.all([serving, pace === true ? passTime(services, clock, signal) : undefined]);
  } finally {
    await services.close();
  }
};

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('disconnect', () => process.exit(1)); // the tests are gone
process.once('message', (orders: RoleOrders) => {
  live(orders, stop.signal).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String((error as Error).stack)}\n`);
      process.exit(1);
    },
  );
});
process.send?.({ tell: 'loaded' });
