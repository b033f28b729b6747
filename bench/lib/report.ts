import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Cluster } from './cluster.js';
import { type Figure, isMet } from './figure.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const digits = (value: number, places: number): number => Number(value.toFixed(places));

/** Exactly the agreed fields. */
export const jsonLine = ({ name, rate, p50_ms, p99_ms, baseline, ...rest }: Figure): string =>
  JSON.stringify({
    name,
    rate: digits(rate, 1),
    p50_ms: p50_ms === null ? null : digits(p50_ms, 3),
    p99_ms: p99_ms === null ? null : digits(p99_ms, 3),
    baseline,
    baseline_rate: digits(rest.baseline_rate, 1),
    ratio: digits(rest.ratio, 3),
    goal: rest.goal,
  });

const number = (value: number): string => Math.round(value).toLocaleString('en-US');
const time = (ms: number | null): string =>
  ms === null ? '–' : ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(2)} ms`;

export const textLine = (figure: Figure): string => {
  const { name, unit, rate, p50_ms, p99_ms, baseline, baseline_rate, ratio, goal } = figure;
  return (
    `${name.padEnd(26)} ${number(rate).padStart(9)} ${unit.padEnd(8)} p50 ${time(p50_ms)}  p99 ${time(p99_ms)}\n` +
    `${''.padEnd(26)} ${number(baseline_rate).padStart(9)} ${unit.padEnd(8)} ${baseline}\n` +
    `${''.padEnd(26)} ${ratio.toFixed(2).padStart(9)} (goal ${goal}${isMet(figure) ? '' : ', MISSED'})`
  );
};

const meanings: Readonly<Record<string, string>> = {
  match_rules: 'A failure held against 50 rules',
  match_rules_1000: 'The same, against 1,000 rules',
  decide_50: 'A failure read and its next steps decided, with 50 rules',
  decide_growth: 'The same, with 1,000 rules',
  append_32: 'Append of single events through the port, 32 in flight',
  append_32_emmett: 'The same, beside emmett',
  append_256: 'Append of single events through the port, 256 in flight',
  append_1: 'Append, one at a time; ratio of the p50s',
  accept_32: '`POST /v1/events/payment_failed` accepted, 32 connections',
  rebuild_recoveries: 'Rebuild of one model (recoveries) over 300,000 events',
  rebuild_recoveries_emmett: 'The same, beside emmett',
  rebuild_all: '`rebuild --all` in one pass over 300,000 events',
  export: 'NDJSON export of 300,000 events',
  read_recovery_32: '`GET /v1/recoveries/{id}` with JWT, logging and scoping, 32 connections',
  relay: 'Relay from the log to a Kafka topic',
  kafka_end_to_end: 'From a failure accepted to its retry in the read model, over Kafka',
  kafka_steady: 'Recoveries visible at 200 payments/s for a minute, over Kafka',
  kafka_steady_lag: 'Payments accepted and not visible yet, in the last quarter of that minute',
  relay_memory: 'Resident memory of the relay at the end of 200,000 messages',
  saga_memory: 'Resident memory of the saga at the end of 200,000 messages',
  rebuild_memory: 'Peak resident memory of a rebuild over 1,000,000 events',
};

const row = (figure: Figure): string => {
  const { name, unit, rate, p50_ms, p99_ms, baseline, baseline_rate, ratio, goal } = figure;
  const cells = [
    `${meanings[name] ?? name} (\`${name}\`)`,
    `${number(rate)} ${unit}`,
    time(p50_ms),
    time(p99_ms),
    `${baseline}: ${number(baseline_rate)} ${unit}`,
    ratio.toFixed(2),
    String(goal),
    isMet(figure) ? 'yes' : '**no**',
  ];
  return `| ${cells.join(' | ')} |`;
};

const versionsOf = (names: readonly string[]): string => {
  const manifest = readFileSync(path('package.json'), 'utf8');
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  return names.map((name) => `${name} ${dependencies[name] ?? '?'}`).join(', ');
};

const emmettVersion = (): string => {
  const { dependencies } = createRequire(import.meta.url)(path('bench/emmett/package.json')) as {
    dependencies: Record<string, string>;
  };
  return dependencies['@event-driven-io/emmett-postgresql'] ?? '?';
};

const page = (figures: readonly Figure[], cluster: Cluster): string => {
  const [cpu] = cpus();
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Every figure has its baseline in the same run on
the same Postgres, in short rounds that take turns; a ratio is the median of what neighbouring rounds give. Look at
the ratios: the rates are this machine's.

- Machine: ${cpu?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}. Server, product, baseline and load share it.
- Node ${process.versions.node}; Postgres ${cluster.version} (${cluster.settings})
- ${versionsOf(['pg', 'express', 'pino', 'pg-copy-streams'])}; for comparison @event-driven-io/emmett-postgresql ${emmettVersion()}

| what | measured | p50 | p99 | baseline | ratio | goal | met |
|---|---|---|---|---|---|---|---|
${figures.map(row).join('\n')}

## How it is measured

- The product, the baselines and the bench itself are compiled, as in an image.
- **Rules**: a merchant's rules and a thousand failures, on one core; nothing is read or written. The baseline asks each of the
  50 rules in turn. Of 1,000 rules a failure matches twenty times as many, and each of them is told; a ratio of 1 would
  be a cost that grows as their number does.
- **Append**: events of 500 bytes (data and metadata), each to a new stream. The bare INSERT writes the same bytes into
  a table with an identity column and no other index; it neither orders nor checks. Both have pools of 64 connections
  of the same driver. The bare INSERT's best is taken of 1, 16, 32 and 64 in flight. One at a time, the ratio is the
  baseline's p50 over ours.
- **emmett**: its packages are installed into \`bench/emmett\` when they are needed and are no dependencies of the
  product; when they cannot be had, its rows are missing. Its rebuild folds the same model with the same function into
  documents of Pongo, on a smaller number of the same events, in batches of 1,000 without a pause.
- **HTTP**: the product's API and the Express routes run in processes of their own with pools of 20 connections; the
  workers do not run beside them. The product checks the token, the schema and card numbers, and writes
  its log to a file. The Express routes log nothing, and make no ETag. The load comes from raw sockets.
- **Rebuild and export**: a log of recovery histories of 20 organizations, about six events per recovery. The bare
  read fetches the same rows with \`pg\` in pages of 5,000 by key and parses their JSON, and does nothing with them.
  p50 and p99 are of a whole run. The product reads several pages at once; a rebuild leaves out what no fold reads of the
  metadata.
- **Kafka**: a broker of its own (KRaft, one node, topics of 6 partitions), or the one that \`KAFKA_BROKERS\` names; where
  there is neither, its rows are missing. The bare producer has the relay's settings (\`acks=all\`, one request in
  flight) and sends the same messages in the same batches, made before. End to end is the product in one process with
  all roles, one payment at a time, from the answer of the API until its retry is in the read model, looked for every
  millisecond; beside it one message from a bare producer to a bare consumer. It has no goal but to be told.
- **Steady load over Kafka**: 200 failures a second for a minute, whether or not the earlier ones are answered. What is
  accepted and not to be read yet is counted once a second; the first quarter is warm-up, and the median of the last
  quarter may be 20 payments, those of a tenth of a second, above that of the second.
- **Memory over Kafka**: a process that does nothing but relay, or handle as the saga, 200,000 messages tells its resident
  memory 100 times, with no collection forced. The first quarter is warm-up; the median of the last quarter may be 10 %
  above that of the second.
- **Memory of a rebuild**: the peak of the resident memory of a process that does one rebuild of the recoveries, the median of three.
  It may be 64 MB more over 1,000,000 events than over 300,000; at most 50,000 rows are kept in memory.
`;
};

/** Writes docs/benchmarks.md. */
export const report = async (figures: readonly Figure[], cluster: Cluster): Promise<void> => {
  await writeFile(path('docs/benchmarks.md'), page(figures, cluster));
};
