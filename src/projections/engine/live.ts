import type { Model } from './fold.js';
import { Runner, type RunnerDependencies } from './runner.js';
import { Turns } from './turns.js';

/**
 * One runner per projection. Those whose rows an older version of the code folded are rebuilt first, one after the
 * other in the order of the list, each while its old rows are served; it goes live as soon as it is swapped in, and
 * one that cannot be rebuilt holds up none of the others.
 */
export const live = async (
  on: Omit<RunnerDependencies, 'turns'>,
  models: readonly Model[],
  signal: AbortSignal,
): Promise<void> => {
  const turns = new Turns(models);
  await Promise.all(models.map((model) => new Runner(model, { ...on, turns }).run(signal)));
};
