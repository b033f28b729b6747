/**
 * Appending single events through the port, beside a bare `pg` single-row INSERT of the same bytes, which neither
 * orders nor checks: its table has a sequence and a primary key, no other index. `tsx bench/append.ts` starts a
 * durable Postgres of its own; with DATABASE_URL it uses that one.
 */
import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import type pg from 'pg';
import type { EventMetadata, NewEvent } from '../src/events/envelope.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../src/infra/postgres/pool.js';
import { silentLogger } from '../src/kernel/logger.js';
import { benchDatabase } from './lib/database.js';
import { type Figures, type Load, measure } from './lib/load.js';

const EVENT_BYTES = 500;

const orgId = randomUUID();
const metadata: EventMetadata = {
  org_id: orgId,
  actor: { type: 'system', id: 'bench' } as unknown as EventMetadata['actor'],
  correlation_id: randomUUID(),
  causation_id: randomUUID(),
  command_id: randomUUID(),
  schema_version: 1,
  occurred_at: '2026-01-01T00:00:00.000Z',
};
const data = { amount: 4999, currency: 'EUR', transaction_ref: '' };
data.transaction_ref = 'r'.repeat(
  EVENT_BYTES - JSON.stringify(metadata).length - JSON.stringify(data).length,
);

const newEvent = (): NewEvent => ({ id: randomUUID(), type: 'PaymentFailed', data, metadata });

const BARE_TABLE = `
  CREATE TABLE IF NOT EXISTS bench_bare_events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id text, revision bigint, event_id uuid,
    type text, org_id uuid, data json, metadata json, recorded_at timestamptz DEFAULT now())`;
const BARE_INSERT = `
  INSERT INTO bench_bare_events (stream_id, revision, event_id, type, org_id, data, metadata)
  VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING position`;

const bareInsert = (pool: pg.Pool) => () => {
  const event = newEvent();
  const texts = [JSON.stringify(event.data), JSON.stringify(event.metadata)];
  const values = [`payment-${randomUUID()}`, '0', event.id, event.type, orgId, ...texts];
  return pool.query({ name: 'bare', text: BARE_INSERT, values });
};

const append = (store: PgEventStore) => () =>
  store.append(`payment-${randomUUID()}`, 'no_stream', [newEvent()]);

export interface AppendResults {
  readonly loads: readonly (Figures & { readonly name: string; readonly in_flight: number })[];
  readonly ratios: readonly { readonly what: string; readonly ratio: number; readonly goal: number }[];
}

/** @param pool needs room for 64 connections */
export const benchAppend = async (pool: pg.Pool): Promise<AppendResults> => {
  await pool.query(BARE_TABLE);
  const store = new PgEventStore({ pool });
  const load = (name: string, inFlight: number, operation: Load['operation']): Load => ({
    name,
    inFlight,
    operation,
  });
  const bare = [1, 16, 32, 64].map((inFlight) => load('bare INSERT', inFlight, bareInsert(pool)));
  const ours = [1, 32, 256].map((inFlight) => load('append', inFlight, append(store)));
  const loads = [bare[0], ours[0], ...bare.slice(1), ...ours.slice(1)].filter((one) => one !== undefined);
  const figures = await measure(loads);
  await store.close();
  await pool.query('DROP TABLE bench_bare_events');

  const of = (name: string, inFlight: number): Figures => {
    const key = loads.find((one) => one.name === name && one.inFlight === inFlight);
    const found = key && figures.get(key);
    if (found === undefined) throw new Error(`${name} at ${inFlight} was not measured`);
    return found;
  };
  const best = Math.max(...bare.map(({ inFlight }) => of('bare INSERT', inFlight).rate));
  return {
    loads: loads.map(({ name, inFlight }) => ({ name, in_flight: inFlight, ...of(name, inFlight) })),
    ratios: [
      {
        what: 'append_1, p50 of bare / ours',
        ratio: of('bare INSERT', 1).p50 / of('append', 1).p50,
        goal: 0.62,
      },
      {
        what: 'append_32, rate / bare at 32',
        ratio: of('append', 32).rate / of('bare INSERT', 32).rate,
        goal: 1,
      },
      { what: 'append_256, rate / bare at its best', ratio: of('append', 256).rate / best, goal: 2 },
    ],
  };
};

const main = async (): Promise<void> => {
  const { url, stop } = await benchDatabase();
  const pool = createPool({ url, max: 64, logger: silentLogger });
  const { loads, ratios } = await benchAppend(pool);
  for (const { name, in_flight: inFlight, rate, p50, p99 } of loads)
    process.stdout.write(
      `${name.padEnd(12)} ${String(inFlight).padStart(4)} in flight ${rate.toFixed(0).padStart(7)}/s` +
        `  p50 ${p50.toFixed(3)} ms  p99 ${p99.toFixed(3)} ms\n`,
    );
  for (const { what, ratio, goal } of ratios)
    process.stdout.write(`${what}: ${ratio.toFixed(2)} (goal ${goal})\n`);
  await pool.end();
  await stop();
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
