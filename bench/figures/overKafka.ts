import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { freePort, register } from '../lib/product.js';
import { afterWarmUp, type Bench, type Environment, type Figure } from '../lib/figure.js';
import { type BenchKafka, openKafka, PARTITIONS } from '../lib/kafka.js';
import { median, quantile } from '../lib/rounds.js';
import { startServer } from '../servers/started.js';

const STEADY_RATE = 200;
const LAG_SAMPLES = 60;
/** Payments of a tenth of a second. In the half minute between what is compared, one left behind in 300 exceeds it. */
const LAG_ALLOWANCE = STEADY_RATE / 10;
/** How often the read model is looked at. */
const LOOK_MS = 1;

interface Running {
  readonly port: number;
  readonly token: string;
  readonly pool: pg.Pool;
}

const fail = async ({ port, token }: Running): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/events/payment_failed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      transaction_ref: randomUUID(),
      amount: 4999,
      currency: 'EUR',
      customer: { email: 'customer@example.com' },
      gateway: 'sandbox',
      failure: { code: 'card_declined', decline_code: 'insufficient_funds' },
    }),
  });
  if (!answer.ok) throw new Error(`payment_failed answered ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { recovery_id: string }).recovery_id;
};

/** From the moment the failure is accepted until its retry can be read. */
const untilScheduled = async (running: Running): Promise<number> => {
  const id = await fail(running);
  const start = performance.now();
  const text = 'SELECT FROM recoveries WHERE key = $1 AND next_action IS NOT NULL';
  while ((await running.pool.query({ name: 'seen', text, values: [id] })).rowCount === 0)
    await sleep(LOOK_MS);
  return performance.now() - start;
};

/** From sending a message to having it, with nothing else going on. */
const bareRoundTrips = async ({ kafka, topic }: BenchKafka, times: number): Promise<number[]> => {
  const name = await topic();
  const [producer, consumer] = [kafka.producer(), kafka.consumer({ groupId: name, maxWaitTimeInMs: 1000 })];
  let arrived: () => void = () => undefined;
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic: name, fromBeginning: true });
  await consumer.run({ autoCommit: false, eachMessage: () => Promise.resolve(arrived()) });
  const taken: number[] = [];
  for (let i = -5; i < times; i++) {
    const start = performance.now();
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    await producer.send({ topic: name, acks: -1, messages: [{ key: String(i % PARTITIONS), value: 'x' }] });
    await arrival;
    if (i >= 0) taken.push(performance.now() - start); // the first ones wait for the group
  }
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
  return taken;
};

const latency = async (running: Running, kafka: BenchKafka, times: number): Promise<Figure> => {
  const bare = await bareRoundTrips(kafka, times);
  const ours: number[] = [];
  for (let i = -5; i < times; i++) {
    const taken = await untilScheduled(running);
    if (i >= 0) ours.push(taken);
  }
  const [p50, bare50, bare99] = [median(ours), median(bare), quantile(bare, 0.99)];
  return {
    name: 'kafka_end_to_end',
    unit: 'op/s',
    rate: 1000 / p50,
    p50_ms: p50,
    p99_ms: quantile(ours, 0.99),
    baseline: `bare Kafka round trip, p50 ${bare50.toFixed(1)} ms, p99 ${bare99.toFixed(1)} ms`,
    baseline_rate: 1000 / bare50,
    ratio: bare50 / p50,
    goal: 0,
  };
};

const lagOf = async ({ pool }: Running): Promise<number> => {
  const { rows } = await pool.query<{ lag: number }>(
    `SELECT ((SELECT count(*) FROM events WHERE type = 'PaymentFailed') - (SELECT count(*) FROM recoveries))::int AS lag`,
  );
  return rows[0]?.lag ?? 0;
};

interface Steady {
  readonly seconds: number;
  readonly accepted: number;
  /** Accepted and not to be read yet, at equal intervals while payments came in, and after the last. */
  readonly lags: readonly number[];
  readonly lag: number;
}

/** Reports failures at a steady rate, however long each takes. */
const steady = async (running: Running, ms: number): Promise<Steady> => {
  const lags: number[] = [];
  const sent: Promise<unknown>[] = [];
  const send = (): void => {
    const answer = fail(running);
    answer.catch(() => undefined); // told at the end, when everything can be stopped
    sent.push(answer);
  };
  const start = performance.now();
  for (let at = 0; at < ms; at = performance.now() - start) {
    for (const due = (at / 1000) * STEADY_RATE; sent.length < due;) send();
    if (at > (lags.length * ms) / LAG_SAMPLES) lags.push(await lagOf(running));
    await sleep(5);
  }
  await Promise.all(sent);
  const lag = await lagOf(running);
  return { seconds: (performance.now() - start) / 1000, accepted: sent.length, lags, lag };
};

const steadyFigures = ({ seconds, accepted, lags, lag }: Steady): Figure[] => {
  const { early, late } = afterWarmUp(lags);
  const visible = accepted - lag;
  const neither = { p50_ms: null, p99_ms: null };
  return [
    {
      name: 'kafka_steady',
      unit: 'op/s',
      rate: visible / seconds,
      ...neither,
      baseline: 'accepted',
      baseline_rate: accepted / seconds,
      ratio: visible / accepted,
      goal: 0.98,
    },
    {
      name: 'kafka_steady_lag',
      unit: 'payments',
      rate: late,
      ...neither,
      baseline: `second quarter of the time, and ${LAG_ALLOWANCE}`,
      baseline_rate: early + LAG_ALLOWANCE,
      ratio: (early + LAG_ALLOWANCE) / Math.max(1, late),
      goal: 1,
    },
  ];
};

const run = async (environment: Environment): Promise<Figure[]> => {
  const { cluster, sizes, wants } = environment;
  const kafka = await openKafka(environment);
  if (kafka === undefined) return [];
  const dir = await mkdtemp(join(tmpdir(), 'recovery-bench-kafka-'));
  const url = await cluster.database('kafka');
  const env = {
    DATABASE_URL: url,
    PORT: String(await freePort()),
    DATA_DIR: dir,
    ENVIRONMENT: 'development',
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_TOPIC: await kafka.topic(),
  };
  const server = await startServer('product', { ...env, BENCH_ROLES: 'all' }, join(dir, 'product.log'));
  const pool = createPool({ url, max: 4, logger });
  try {
    const { access_token: token } = await register(server.port, 'bench-kafka');
    const running = { port: server.port, token, pool };
    const figures: Figure[] = [];
    if (wants('kafka_end_to_end')) figures.push(await latency(running, kafka, sizes.latencies));
    if (wants('kafka_steady') || wants('kafka_steady_lag'))
      figures.push(...steadyFigures(await steady(running, sizes.steadyMs)));
    return figures;
  } finally {
    await server.stop();
    await pool.end();
    await kafka.stop();
    await rm(dir, { recursive: true, force: true });
  }
};

export const overKafkaBench: Bench = { names: ['kafka_end_to_end', 'kafka_steady', 'kafka_steady_lag'], run };
