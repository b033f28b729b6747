import type { ProjectionEngine } from '../projections/engine/engine.js';

export interface ProjectorDependencies {
  readonly engine: Pick<ProjectionEngine, 'ensure' | 'run'>;
  /** Does the work whenever this process is the one that is to do it. */
  readonly lead: (signal: AbortSignal, work: (elected: AbortSignal) => Promise<void>) => Promise<void>;
}

/**
 * The projector role: keeps every read model up with the log until the signal aborts. That one process at a time does
 * so saves work; that no event is folded twice is the checkpoint's doing.
 */
export const runProjector = ({ engine, lead }: ProjectorDependencies, signal: AbortSignal): Promise<void> =>
  lead(signal, async (elected) => {
    await engine.ensure();
    await engine.run(elected);
  });
