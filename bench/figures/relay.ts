import { openProducer } from '../../src/infra/kafka/publisher.js';
import { installationOf } from '../../src/infra/postgres/installation.js';
import { type Bench, type Environment, type Figure, rateFigure, resultOf } from '../lib/figure.js';
import { type BenchKafka, openKafka, readyMade } from '../lib/kafka.js';
import { relayLog } from '../lib/relayRun.js';
import { alternate, type Contender, runOf } from '../lib/rounds.js';
import type { SeededLog } from '../lib/seededLog.js';

/** The same producer settings, the same batches, made before: what is left is Kafka's part. */
const bareLoop = async ({ kafka, topic }: BenchKafka, log: SeededLog): Promise<Contender> => {
  const batches = await readyMade(log.store, await installationOf(log.pool));
  const name = await topic();
  return {
    name: 'bare producer loop',
    round: runOf(async () => {
      const producer = openProducer(kafka);
      await producer.connect();
      for (const batch of batches) await producer.send({ topic: name, acks: -1, messages: [...batch] });
      await producer.disconnect();
      return batches.reduce((sum, { length }) => sum + length, 0);
    }),
  };
};

const relayLoop = async ({ kafka, topic }: BenchKafka, { store, pool }: SeededLog): Promise<Contender> => {
  const name = await topic();
  return { name: 'relay', round: runOf(() => relayLog({ store, pool, kafka, topic: name })) };
};

const run = async (environment: Environment): Promise<Figure[]> => {
  const kafka = await openKafka(environment);
  if (kafka === undefined) return [];
  try {
    const log = await environment.seededLog();
    const [bare, ours] = [await bareLoop(kafka, log), await relayLoop(kafka, log)];
    const results = await alternate([bare, ours], environment.sizes.runs);
    const measured = { ours: resultOf(results, ours), baseline: resultOf(results, bare) };
    return [rateFigure('relay', measured, { unit: 'events/s', baseline: bare.name, goal: 0.5 })];
  } finally {
    await kafka.stop();
  }
};

export const relayBench: Bench = { names: ['relay'], run };
