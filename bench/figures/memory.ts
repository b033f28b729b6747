import type { Bench, Environment, Figure } from '../lib/figure.js';
import { toldBy } from '../lib/ownProcess.js';
import { median } from '../lib/rounds.js';

const ALLOWANCE_MB = 64;
const RUNS = 3;

/** The most memory that a process of its own had resident while it rebuilt the recoveries, in MB. */
const peakOf = async (url: string): Promise<number> =>
  (await toldBy<{ peak: number }>(new URL('./rebuildOnce.js', import.meta.url), [url])).peak;

const medianPeak = async (url: string): Promise<number> => {
  const peaks: number[] = [];
  while (peaks.length < RUNS) peaks.push(await peakOf(url));
  return median(peaks);
};

const run = async ({ seededLog, sizes, note }: Environment): Promise<Figure[]> => {
  const log = await seededLog();
  const small = await medianPeak(log.url);
  note(`growing the log to ${sizes.bigLog} events`);
  await log.growTo(sizes.bigLog);
  const big = await medianPeak(log.url);
  const allowed = small + ALLOWANCE_MB;
  return [
    {
      name: 'rebuild_memory',
      unit: 'MB',
      rate: big,
      p50_ms: null,
      p99_ms: null,
      baseline: `${sizes.log} events, and ${ALLOWANCE_MB} MB`,
      baseline_rate: allowed,
      ratio: allowed / big,
      goal: 1,
    },
  ];
};

export const memoryBench: Bench = { names: ['rebuild_memory'], run };
