/**
 * Every figure with its baseline, in the same run and on the same Postgres: `npm run bench`, through start.ts.
 *
 *   -- --json                one line of JSON per figure
 *   -- --only <name,...>     these figures
 *   -- --quick               small sizes: shows that everything runs, measures nothing worth telling
 *
 * A run of all figures writes docs/benchmarks.md, and fails when one misses its goal.
 */
import { parseArgs } from 'node:util';
import { acceptBench, readBench } from './figures/api.js';
import { appendBench } from './figures/append.js';
import { decisionsBench } from './figures/decisions.js';
import { kafkaMemoryBench } from './figures/kafkaMemory.js';
import { memoryBench } from './figures/memory.js';
import { overKafkaBench } from './figures/overKafka.js';
import { exportBench, rebuildAllBench, rebuildBench } from './figures/rebuild.js';
import { relayBench } from './figures/relay.js';
import { rulesBench } from './figures/rules.js';
import { type Cluster, openCluster } from './lib/cluster.js';
import { type Bench, type Figure, isMet, type Sizes } from './lib/figure.js';
import { jsonLine, report, textLine } from './lib/report.js';
import { SeededLog } from './lib/seededLog.js';

const full: Sizes = {
  log: 300_000,
  bigLog: 1_000_000,
  emmettEvents: 3_000,
  rounds: 9,
  appendMs: 600,
  httpMs: 1_500,
  runs: 5,
  latencies: 300,
  steadyMs: 60_000,
  carried: 200_000,
};
const quick: Sizes = {
  log: 12_000,
  bigLog: 24_000,
  emmettEvents: 500,
  rounds: 1,
  appendMs: 150,
  httpMs: 200,
  runs: 1,
  latencies: 10,
  steadyMs: 3_000,
  carried: 4_000,
};

/** In this order: the last one makes the log grow. */
const benches: readonly Bench[] = [
  rulesBench,
  decisionsBench,
  appendBench,
  acceptBench,
  rebuildBench,
  rebuildAllBench,
  exportBench,
  readBench,
  relayBench,
  overKafkaBench,
  kafkaMemoryBench,
  memoryBench,
];
const names = benches.flatMap((bench) => bench.names);

const optionsOf = (args: readonly string[]) => {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' } },
  });
  const only = values.only?.split(',') ?? names;
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no figure ${unknown.join(', ')}; there are ${names.join(', ')}`);
  return { json: values.json === true, quick: values.quick === true, only };
};

type Options = ReturnType<typeof optionsOf>;

const note = (text: string): void => void process.stderr.write(`${text}\n`);

const measure = async (cluster: Cluster, options: Options): Promise<Figure[]> => {
  const sizes = options.quick ? quick : full;
  let log: Promise<SeededLog> | undefined;
  const seed = async (): Promise<SeededLog> => {
    note(`writing a log of ${sizes.log} events`);
    const seeded = new SeededLog(await cluster.database('log'));
    await seeded.growTo(sizes.log);
    return seeded;
  };
  const seededLog = (): Promise<SeededLog> => (log ??= seed());
  const wants = (name: string): boolean => options.only.includes(name);
  const figures: Figure[] = [];
  try {
    for (const bench of benches) {
      if (!bench.names.some(wants)) continue;
      note(`measuring ${bench.names.filter(wants).join(', ')}`);
      for (const figure of await bench.run({ cluster, sizes, wants, seededLog, note })) {
        if (!wants(figure.name)) continue;
        figures.push(figure);
        process.stdout.write(`${options.json ? jsonLine(figure) : textLine(figure)}\n`);
      }
    }
  } finally {
    await (await log?.catch(() => undefined))?.close();
  }
  return figures;
};

/** Rejects on Ctrl-C, so that what was started is stopped. */
const interrupted = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new Error(`ended by ${signal}`)));
  });

/** @returns whether every goal was met, as far as the run can tell */
const main = async (): Promise<boolean> => {
  const options = optionsOf(process.argv.slice(2));
  const stopped = interrupted();
  const cluster = await openCluster(process.env['DATABASE_URL']);
  try {
    const figures = await Promise.race([measure(cluster, options), stopped]);
    if (options.quick || options.only.length < names.length) return true;
    await report(figures, cluster);
    return figures.every(isMet);
  } finally {
    await cluster.stop();
  }
};

try {
  const met = await main();
  if (!met) note('some goals were missed');
  process.exit(met ? 0 : 1);
} catch (error) {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
