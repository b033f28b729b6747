import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { DemoOptions } from '../cli/services.js';
import type { Config } from '../config.js';
import { runDemo } from '../demo/demo.js';
import type { DemoSystem } from '../demo/system.js';
import type { ManualClock } from '../infra/systemClock.js';
import type { Instant } from '../kernel/clock.js';
import { publicBaseUrl } from './runtime.js';

interface Stage {
  readonly config: Config;
  readonly pool: Pool;
  readonly clock: ManualClock;
  /** Runs every role until the signal aborts. */
  readonly serve: (signal: AbortSignal) => Promise<void>;
}

const REST_TIMEOUT_MS = 60_000;
/** A worker that finds nothing to do keeps its lease till its end: such a timer is not waited for. */
const FRESH_LEASE = "interval '27 seconds'";

/** One snapshot: the saga and every read model are at the head, no timer is due and nobody works on one. */
const restSql = `
  SELECT NOT EXISTS (SELECT FROM projection_generations, event_log_head
                     WHERE state = 'active' AND projection_generations.position < event_log_head.position)
     AND EXISTS (SELECT FROM bus_checkpoints, event_log_head
                 WHERE consumer_group = 'recovery-saga' AND bus_checkpoints.position >= event_log_head.position)
     AND NOT EXISTS (SELECT FROM timer_leases WHERE leased_until > clock_timestamp() + ${FRESH_LEASE})
     AND NOT EXISTS (SELECT FROM timers LEFT JOIN timer_leases USING (key)
                     WHERE due_at <= $1
                       AND (leased_until IS NULL OR leased_until < clock_timestamp())) AS rests`;

const settled = (pool: Pool, clock: ManualClock, signal: AbortSignal) => async (): Promise<void> => {
  const giveUpAt = performance.now() + REST_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    const { rows } = await pool.query<{ rests: boolean }>(restSql, [clock.now()]);
    if (rows[0]?.rests === true) return;
    await sleep(15, undefined, { signal });
  }
  throw new Error('The workers do not come to rest: look at `recovery projections status`.');
};

const nextDue = (pool: Pool) => async (): Promise<Instant | undefined> => {
  const { rows } = await pool.query<{ due: Instant | null }>('SELECT min(due_at) AS due FROM timers');
  return rows[0]?.due ?? undefined;
};

const answering = async (baseUrl: string, signal: AbortSignal): Promise<void> => {
  for (;;) {
    signal.throwIfAborted();
    const ready = await fetch(`${baseUrl}/readyz`, { signal }).catch(() => undefined);
    await ready?.arrayBuffer();
    if (ready?.ok) return;
    await sleep(50, undefined, { signal });
  }
};

/** Runs the whole system in this process, with a clock of its own, and shows the demo with it. */
export const playDemo = async (
  { config, pool, clock, serve }: Stage,
  options: DemoOptions,
): Promise<void> => {
  const { exit, json, write, interactive, columns } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const system: DemoSystem = {
    baseUrl: publicBaseUrl(config),
    mailFolder: join(resolve(config.dataDir), 'mail'),
    now: () => clock.now(),
    advanceTo: (instant) => clock.advanceTo(instant),
    nextDue: nextDue(pool),
    settled: settled(pool, clock, signal),
  };
  const serving = serve(signal);
  const show = async (): Promise<void> => {
    await answering(system.baseUrl, signal);
    await runDemo(system, { exit, json, signal }, { write, interactive, columns });
  };
  try {
    await Promise.race([serving, show()]);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    over.abort();
    await serving.catch(() => undefined);
  }
};
