import { outdated } from './ensure.js';
import { EventFailure, failureOf, isProjectionError } from './errors.js';
import type { Model } from './fold.js';
import { activeOf, setError } from './generations.js';
import { rebuild } from './rebuild.js';
import { Runner, type RunnerDependencies } from './runner.js';
import { Backoff, pause } from './wait.js';

/** A new projection with more events than this before it is built by the rebuild rather than live. */
const LONG_LOG = 20_000;
const LOOK_AGAIN_MS = 1_000;

/**
 * One runner per projection, and beside them the upgrade: read models that another version of the code folded are
 * rebuilt in one pass while the old rows are served. Their runners wait, and take over after the swap.
 */
export const live = async (
  on: RunnerDependencies,
  models: readonly Model[],
  signal: AbortSignal,
): Promise<void> => {
  const behind = await toUpgrade(on, models, signal);
  const held = new Set(behind);
  const runners = models.map((model) => new Runner(model, on, () => held.has(model)).run(signal));
  await upgrade(on, behind, (model) => held.delete(model), signal);
  await Promise.all(runners);
};

/** Rebuilds them together; one whose rebuild fails on an event goes on alone, so that it holds up nobody else. */
const upgrade = async (
  on: RunnerDependencies,
  models: readonly Model[],
  release: (model: Model) => void,
  signal: AbortSignal,
): Promise<void> => {
  const backoff = new Backoff(5_000, 60_000);
  let left = models;
  while (left.length > 0 && !signal.aborted) {
    const failed = await attempt(on, left, signal);
    const others = left.filter(({ name }) => name !== failed?.projection);
    if (failed && others.length > 0) {
      const apart = [others, left.filter((model) => !others.includes(model))];
      await Promise.all(apart.map((some) => upgrade(on, some, release, signal)));
      return;
    }
    if (failed) await pause(backoff.next(), signal);
    const still = await toUpgrade(on, left, signal);
    for (const model of left) if (!still.includes(model)) release(model);
    left = still;
  }
};

/** Answers the event that stopped it, if one did; after any other mishap it may be tried again. */
const attempt = async (
  on: RunnerDependencies,
  models: readonly Model[],
  signal: AbortSignal,
): Promise<EventFailure | undefined> => {
  try {
    on.logger.info(
      { projections: models.map(({ name }) => name) },
      'rebuilding projections for this version',
    );
    await rebuild(on, models, { signal });
  } catch (err) {
    if (signal.aborted) return undefined;
    if (!(isProjectionError(err) && err.code === 'rebuild_running'))
      on.logger.error({ err }, 'cannot rebuild projections for this version; the old rows are still served');
    if (err instanceof EventFailure) {
      await tell(on, err).catch(() => undefined);
      return err;
    }
    await pause(LOOK_AGAIN_MS, signal);
  }
  return undefined;
};

const tell = async (on: RunnerDependencies, failure: EventFailure): Promise<void> => {
  const active = await activeOf(on.pool, failure.projection);
  if (active) await setError(on.pool, active, failureOf(failure));
};

const toUpgrade = async (
  on: RunnerDependencies,
  models: readonly Model[],
  signal: AbortSignal,
): Promise<Model[]> => {
  const backoff = new Backoff(100, 5_000);
  while (!signal.aborted) {
    try {
      return await outdated(on.pool, models, async (model) => {
        const { events } = await on.store.lag(0n, model.projection.events, LONG_LOG);
        return events >= LONG_LOG;
      });
    } catch (err) {
      on.logger.warn({ err }, 'cannot look how the projections stand; trying again');
      await pause(backoff.next(), signal);
    }
  }
  return [];
};
