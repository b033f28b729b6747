/** One measured load: how many operations per second, and how long one takes. */
export interface Figures {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

interface Sample {
  readonly ms: number;
  readonly latencies: readonly number[];
}

/** Runs an operation again and again, `inFlight` at a time, for about `ms`. */
const sample = async (operation: () => Promise<unknown>, inFlight: number, ms: number): Promise<Sample> => {
  const latencies: number[] = [];
  const start = performance.now();
  const caller = async () => {
    for (let at = performance.now(); at - start < ms;) {
      await operation();
      const now = performance.now();
      latencies.push(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return { ms: performance.now() - start, latencies };
};

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;

const figuresOf = (samples: readonly Sample[]): Figures => {
  const latencies = samples.flatMap((one) => one.latencies).sort((a, b) => a - b);
  const ms = samples.reduce((sum, one) => sum + one.ms, 0);
  return {
    rate: (latencies.length / ms) * 1000,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
};

export interface Load {
  readonly name: string;
  readonly inFlight: number;
  readonly operation: () => Promise<unknown>;
}

/**
 * Measures loads side by side: short rounds of each in turn, so that whatever else the machine does falls on all of
 * them alike. The first round only warms up.
 */
export const measure = async (
  loads: readonly Load[],
  { rounds = 8, ms = 600 }: { readonly rounds?: number; readonly ms?: number } = {},
): Promise<Map<Load, Figures>> => {
  const samples = new Map<Load, Sample[]>(loads.map((load) => [load, []]));
  for (let round = 0; round <= rounds; round++)
    for (const load of loads) {
      const one = await sample(load.operation, load.inFlight, ms);
      if (round > 0) samples.get(load)?.push(one);
    }
  return new Map([...samples].map(([load, all]) => [load, figuresOf(all)]));
};
