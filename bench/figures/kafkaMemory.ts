import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bench, Environment, Figure } from '../lib/figure.js';
import { type BenchKafka, openKafka } from '../lib/kafka.js';
import { relayOnce } from '../lib/relayRun.js';
import { median } from '../lib/rounds.js';
import type { SeededLog } from '../lib/seededLog.js';

const GROWTH = 1.1;

/** Resident memory, in MB, sampled by a process of its own while it carries so many messages. */
const samplesOf = (args: readonly string[]): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./kafkaMemoryOnce.ts', import.meta.url)), [...args], {
      execArgv: ['--import', 'tsx'],
    });
    let samples: number[] | undefined;
    child.once('message', (message) => (samples = (message as { samples: number[] }).samples));
    child.once('error', reject);
    child.once('exit', (code) =>
      samples === undefined ? reject(new Error(`it ended with ${code}`)) : resolve(samples),
    );
  });

/** Warm-up is the first half; the last quarter is held against the third. */
const figureOf = (name: string, samples: readonly number[]): Figure => {
  const quarter = Math.floor(samples.length / 4);
  const before = median(samples.slice(2 * quarter, 3 * quarter));
  const after = median(samples.slice(3 * quarter));
  return {
    name,
    unit: 'MB',
    rate: after,
    p50_ms: null,
    p99_ms: null,
    baseline: 'third quarter of the messages, and 10 %',
    baseline_rate: before * GROWTH,
    ratio: (before * GROWTH) / after,
    goal: 1,
  };
};

const fill = async (kafka: BenchKafka, { store, pool }: SeededLog, messages: number): Promise<string> => {
  const topic = await kafka.topic();
  for (let sent = 0; sent < messages;) sent += await relayOnce({ store, pool, kafka: kafka.kafka, topic });
  return topic;
};

const run = async (environment: Environment): Promise<Figure[]> => {
  const { sizes, wants } = environment;
  const kafka = await openKafka(environment);
  if (kafka === undefined) return [];
  try {
    const log = await environment.seededLog();
    const figures: Figure[] = [];
    const args = async (role: string, topic: Promise<string>): Promise<string[]> => [
      role,
      log.url,
      kafka.brokers.join(','),
      await topic,
      String(sizes.carried),
    ];
    if (wants('relay_memory'))
      figures.push(figureOf('relay_memory', await samplesOf(await args('relay', kafka.topic()))));
    if (wants('saga_memory')) {
      const topic = fill(kafka, log, sizes.carried);
      figures.push(figureOf('saga_memory', await samplesOf(await args('saga', topic))));
    }
    return figures;
  } finally {
    await kafka.stop();
  }
};

export const kafkaMemoryBench: Bench = { names: ['relay_memory', 'saga_memory'], run };
