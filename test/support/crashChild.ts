/**
 * The whole system in a process that kills itself at the n-th visit of a named point, under a clock that runs on to
 * the next timer as soon as nothing is left to do. Waits for its orders before it starts, so that the next process
 * can be loaded while this one works.
 */
import { readConfig } from '../../src/config.js';
import type { CliServices } from '../../src/cli/services.js';
import type { FaultPoint } from '../../src/kernel/faults.js';
import { compose } from '../../src/main.js';
import { FastClock } from './fastClock.js';

export interface Orders {
  /** The clock starts there, or now if that is later. */
  readonly from: string;
  readonly kill?: { readonly point: FaultPoint; readonly visit: number };
  /** Time moves on only when told. */
  readonly still?: true;
}

/** Moves a still clock forward, ms. */
export interface Advance {
  readonly advance: number;
}

/** Told over the parent's channel. */
export type Told = { readonly tell: 'loaded' } | { readonly tell: 'settled'; readonly head: string };

const LOOK_EVERY = 30;
/** How much further than the next timer the clock runs, so that many fall due together. */
const STRIDE = 6 * 3_600_000;

const tell = (told: Told): void => void process.send?.(told);

interface Standing {
  readonly next: string | null;
  readonly leased: boolean;
  readonly timers_at: string | null;
  readonly saga_at: string | null;
  readonly head: string;
}

const standing = async ({ db }: CliServices): Promise<Standing | undefined> => {
  const { rows } = await db.query<Standing>(`
    SELECT (SELECT min(due_at) FROM timers) AS next,
           EXISTS (SELECT FROM timer_leases WHERE leased_until > clock_timestamp()) AS leased,
           (SELECT position FROM projection_generations WHERE name = 'timers' AND state = 'active') AS timers_at,
           (SELECT position FROM bus_checkpoints WHERE consumer_group = 'recovery-saga') AS saga_at,
           (SELECT position FROM event_log_head) AS head`);
  return rows[0];
};

/** Lets time pass: to the next timer once everything that was due is done. Says so when no timer is left. */
const passTime = async (services: CliServices, clock: FastClock, signal: AbortSignal): Promise<void> => {
  let settledAt = '';
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    const at = await standing(services).catch(() => undefined); // the tables may not be there yet
    if (at === undefined || at.leased || at.timers_at !== at.head || at.saga_at !== at.head) continue;
    if (at.next === null && settledAt !== at.head) tell({ tell: 'settled', head: (settledAt = at.head) });
    if (at.next !== null && Date.parse(at.next) > clock.now().getTime())
      clock.advanceTo(Date.parse(at.next) + STRIDE);
  }
};

const live = async ({ from, kill, still }: Orders, signal: AbortSignal): Promise<void> => {
  const clock = new FastClock(new Date(from));
  let visits = 0;
  const faults = (point: FaultPoint): void => {
    if (point === kill?.point && ++visits === kill.visit) process.kill(process.pid, 'SIGKILL');
  };
  const services = await compose(readConfig(), 'serve', { faults, clock });
  try {
    process.on('message', ({ advance }: Partial<Advance>) => {
      if (advance !== undefined) clock.advanceTo(clock.now().getTime() + advance);
    });
    const time = still ? undefined : passTime(services, clock, signal);
    await Promise.all([services.serve({ roles: [], signal }), time]);
  } finally {
    await services.close();
  }
};

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('disconnect', () => process.exit(1)); // the tests are gone
process.once('message', (orders: Orders) => {
  live(orders, stop.signal).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String((error as Error).stack)}\n`);
      process.exit(1);
    },
  );
});
tell({ tell: 'loaded' });
