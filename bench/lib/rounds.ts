/** What one round saw: operations done, how long it took, and how long each of them did. */
export interface Round {
  readonly operations: number;
  readonly ms: number;
  /** Milliseconds of each operation, in any order. */
  readonly latencies: readonly number[];
}

export interface Contender {
  readonly name: string;
  readonly round: () => Promise<Round>;
}

export interface Result {
  /** Operations per second of each round. */
  readonly rates: readonly number[];
  readonly p50s: readonly number[];
  /** Medians over the rounds. */
  readonly rate: number;
  readonly p50: number;
  /** Over every operation of every round. */
  readonly p99: number;
}

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
};

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2;
};

const resultOf = (rounds: readonly Round[]): Result => {
  const rates = rounds.map(({ operations, ms }) => (operations / ms) * 1000);
  const p50s = rounds.map(({ latencies }) => quantile(latencies, 0.5));
  const p99 = quantile(
    rounds.flatMap(({ latencies }) => latencies),
    0.99,
  );
  return { rates, p50s, rate: median(rates), p50: median(p50s), p99 };
};

/**
 * Measures contenders side by side: a short round of each in turn, again and again, so that whatever else the
 * machine does falls on all of them alike. The first rounds only warm up.
 */
export const alternate = async <C extends Contender>(
  contenders: readonly C[],
  rounds: number,
): Promise<Map<C, Result>> => {
  const seen = new Map<C, Round[]>(contenders.map((one) => [one, []]));
  for (let index = 0; index <= rounds; index++)
    for (const one of contenders) {
      const round = await one.round();
      if (index > 0) seen.get(one)?.push(round);
    }
  return new Map([...seen].map(([one, all]) => [one, resultOf(all)]));
};

/** The median of what each round, held against its neighbour of the same turn, gives. */
export const medianRatio = (ours: readonly number[], baseline: readonly number[]): number =>
  median(ours.map((value, index) => value / (baseline[index] ?? NaN)));

/** Runs an operation again and again, `inFlight` at a time, for about `ms`. */
export const loadOf =
  (operation: () => Promise<unknown>, inFlight: number, ms: number) => async (): Promise<Round> => {
    const latencies: number[] = [];
    const start = performance.now();
    const caller = async (): Promise<void> => {
      for (let at = performance.now(); at - start < ms;) {
        await operation();
        const now = performance.now();
        latencies.push(now - at);
        at = now;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, caller));
    return { operations: latencies.length, ms: performance.now() - start, latencies };
  };

/** One long piece of work as a round: its latency is its length. */
export const runOf = (work: () => Promise<number>) => async (): Promise<Round> => {
  const start = performance.now();
  const operations = await work();
  const ms = performance.now() - start;
  return { operations, ms, latencies: [ms] };
};

/** As it would be if the cost grew by that much. */
export const linearly = (result: Result, growth: number): Result => ({
  ...result,
  rate: result.rate / growth,
  rates: result.rates.map((rate) => rate / growth),
});
