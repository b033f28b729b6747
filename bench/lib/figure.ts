import type { Cluster } from './cluster.js';
import type { SeededLog } from './seededLog.js';
import { median, medianRatio, type Result } from './rounds.js';

/** One line of the result. A goal is met when `ratio` is at least `goal`. */
export interface Figure {
  readonly name: string;
  readonly unit: 'op/s' | 'events/s' | 'MB' | 'payments';
  readonly rate: number;
  /** Milliseconds of an operation; of a whole run where one run is measured at a time. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly baseline: string;
  readonly baseline_rate: number;
  readonly ratio: number;
  readonly goal: number;
}

export interface Sizes {
  /** Events of the seeded log, and what it grows to for the memory figure. */
  readonly log: number;
  readonly bigLog: number;
  readonly emmettEvents: number;
  /** Of appends and of HTTP requests: rounds of each contender, and how long one is. */
  readonly rounds: number;
  readonly appendMs: number;
  readonly httpMs: number;
  /** Whole reads and rebuilds of each contender. */
  readonly runs: number;
  /** Over Kafka: payments timed one by one, how long a steady load lasts, messages carried for the memory figures. */
  readonly latencies: number;
  readonly steadyMs: number;
  readonly carried: number;
}

export interface Environment {
  readonly cluster: Cluster;
  readonly sizes: Sizes;
  readonly wants: (name: string) => boolean;
  /** A log of recovery histories; made when it is first asked for. */
  readonly seededLog: () => Promise<SeededLog>;
  readonly note: (text: string) => void;
}

/** Figures that are measured together because they share a set-up. */
export interface Bench {
  readonly names: readonly string[];
  readonly run: (environment: Environment) => Promise<readonly Figure[]>;
}

/** A figure where a higher rate is better. */
export const rateFigure = (
  name: string,
  { ours, baseline }: { ours: Result; baseline: Result },
  about: Pick<Figure, 'unit' | 'baseline' | 'goal'>,
): Figure => ({
  name,
  ...about,
  rate: ours.rate,
  p50_ms: ours.p50,
  p99_ms: ours.p99,
  baseline_rate: baseline.rate,
  ratio: medianRatio(ours.rates, baseline.rates),
});

export const resultOf = <C>(results: ReadonlyMap<C, Result>, contender: C): Result => {
  const found = results.get(contender);
  if (found === undefined) throw new Error('not measured');
  return found;
};

export const isMet = ({ ratio, goal }: Figure): boolean => ratio >= goal;

/**
 * Is something flat? The first quarter of what was sampled is warm-up.
 * @returns the medians of the second quarter and of the last
 */
export const afterWarmUp = (samples: readonly number[]): { early: number; late: number } => {
  const quarter = Math.floor(samples.length / 4);
  return { early: median(samples.slice(quarter, 2 * quarter)), late: median(samples.slice(-quarter)) };
};
