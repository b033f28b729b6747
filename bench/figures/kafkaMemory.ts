import { afterWarmUp, type Bench, type Environment, type Figure } from '../lib/figure.js';
import { type BenchKafka, openKafka } from '../lib/kafka.js';
import { toldBy } from '../lib/ownProcess.js';
import { relayLog } from '../lib/relayRun.js';
import type { SeededLog } from '../lib/seededLog.js';

const GROWTH = 1.1;

/** Resident memory, in MB, sampled by a process of its own while it carries so many messages. */
const samplesOf = async (args: readonly string[]): Promise<number[]> =>
  (await toldBy<{ samples: number[] }>(new URL('./kafkaMemoryOnce.js', import.meta.url), args)).samples;

const figureOf = (name: string, samples: readonly number[]): Figure => {
  const { early, late } = afterWarmUp(samples);
  return {
    name,
    unit: 'MB',
    rate: late,
    p50_ms: null,
    p99_ms: null,
    baseline: 'second quarter of the messages, and 10 %',
    baseline_rate: early * GROWTH,
    ratio: (early * GROWTH) / late,
    goal: 1,
  };
};

const fill = async (kafka: BenchKafka, { store, pool }: SeededLog, messages: number): Promise<string> => {
  const topic = await kafka.topic();
  await relayLog({ store, pool, kafka: kafka.kafka, topic }, messages);
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
