import type { ProjectionEngine } from '../projections/engine/engine.js';

export interface Projector {
  readonly engine: Pick<ProjectionEngine, 'ensure' | 'run'>;
  readonly signal: AbortSignal;
}

/** The projector role: keeps every read model up with the log until the signal aborts. */
export const runProjector = async ({ engine, signal }: Projector): Promise<void> => {
  await engine.ensure();
  await engine.run(signal);
};
