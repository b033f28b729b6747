import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { EventMetadata, NewEvent } from '../../src/events/envelope.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { createPool } from '../../src/infra/postgres/pool.js';
import { silentLogger as logger } from '../../src/kernel/logger.js';
import { type EmmettStore, loadEmmett } from '../lib/emmett.js';
import { type Bench, type Environment, type Figure, rateFigure, resultOf } from '../lib/figure.js';
import { alternate, type Contender, loadOf, medianRatio, type Result } from '../lib/rounds.js';

const CONNECTIONS = 64;
/** Data and metadata together. */
const EVENT_BYTES = 500;

const orgId = randomUUID();
const metadata: EventMetadata = {
  org_id: orgId,
  actor: { type: 'system', id: 'bench' },
  correlation_id: randomUUID(),
  causation_id: randomUUID(),
  command_id: randomUUID(),
  schema_version: 1,
  occurred_at: '2026-01-01T00:00:00.000Z',
};
const facts = { amount: 4999, currency: 'EUR', transaction_ref: '' };
const padding = EVENT_BYTES - JSON.stringify(metadata).length - JSON.stringify(facts).length;
const data = { ...facts, transaction_ref: 'r'.repeat(padding) };

const newEvent = (): NewEvent => ({ id: randomUUID(), type: 'PaymentFailed', data, metadata });

// No index but the primary key's, no check, no order: less cannot be done for an event.
const BARE_TABLE = `
  CREATE TABLE bare_events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream_id text, revision bigint, event_id uuid,
    type text, org_id uuid, data json, metadata json, recorded_at timestamptz DEFAULT now())`;
const BARE_INSERT = `
  INSERT INTO bare_events (stream_id, revision, event_id, type, org_id, data, metadata)
  VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING position`;

const bareInsert = (pool: pg.Pool) => () => {
  const event = newEvent();
  const documents = [JSON.stringify(event.data), JSON.stringify(event.metadata)];
  const values = [`payment-${randomUUID()}`, '0', event.id, event.type, orgId, ...documents];
  return pool.query({ name: 'bare', text: BARE_INSERT, values });
};

const append = (store: PgEventStore) => () =>
  store.append(`payment-${randomUUID()}`, 'no_stream', [newEvent()]);

const emmettAppend = (store: EmmettStore) => () =>
  store.appendToStream(`payment-${randomUUID()}`, [{ type: 'PaymentFailed', data, metadata }], {
    expectedStreamVersion: 'STREAM_DOES_NOT_EXIST',
  });

interface Load extends Contender {
  readonly inFlight: number;
}

const BARE = 'bare INSERT by pg';
const EMMETT = 'emmett appendToStream';

/** Rounds of every load in turn: the bare one at several numbers in flight, because its best one counts. */
const loadsOf = (pool: pg.Pool, store: PgEventStore, emmett: EmmettStore | undefined, ms: number): Load[] => {
  const load = (name: string, operation: () => Promise<unknown>, inFlight: number): Load => ({
    name,
    inFlight,
    round: loadOf(operation, inFlight, ms),
  });
  const bare = (inFlight: number) => load(BARE, bareInsert(pool), inFlight);
  const ours = (inFlight: number) => load('append', append(store), inFlight);
  const theirs = emmett ? [load(EMMETT, emmettAppend(emmett), 32)] : [];
  return [bare(1), ours(1), bare(16), bare(32), ours(32), ...theirs, bare(64), ours(256)];
};

const figuresOf = (results: ReadonlyMap<Load, Result>): Figure[] => {
  const loads = [...results.keys()];
  const of = (name: string, inFlight: number): Result => {
    const load = loads.find((one) => one.name === name && one.inFlight === inFlight);
    return resultOf(results, load as Load);
  };
  const bares = loads.filter(({ name }) => name === BARE);
  const best = bares.reduce((a, b) => (of(BARE, a.inFlight).rate > of(BARE, b.inFlight).rate ? a : b));
  const unit = 'op/s' as const;
  const compare = (name: string, inFlight: number, baseline: string, at: number, goal: number): Figure =>
    rateFigure(
      name,
      { ours: of('append', inFlight), baseline: of(baseline, at) },
      { unit, baseline: `${baseline}, ${at} in flight`, goal },
    );
  const [ours, bare] = [of('append', 1), of(BARE, 1)];
  const alone = compare('append_1', 1, BARE, 1, 0.62);
  return [
    compare('append_32', 32, BARE, 32, 1),
    ...(loads.some(({ name }) => name === EMMETT) ? [compare('append_32_emmett', 32, EMMETT, 32, 4)] : []),
    compare('append_256', 256, BARE, best.inFlight, 2),
    // How long one caller waits: baseline's p50 over ours.
    { ...alone, ratio: medianRatio(bare.p50s, ours.p50s) },
  ];
};

const run = async ({ cluster, sizes, wants, note }: Environment): Promise<Figure[]> => {
  const url = await cluster.database('append');
  const pool = createPool({ url, max: CONNECTIONS, logger });
  const store = new PgEventStore({ pool });
  const emmett = wants('append_32_emmett') ? await loadEmmett(note) : undefined;
  const theirs = emmett && (await cluster.database('append_emmett', { empty: true }));
  const opened = theirs && (await emmett.open(theirs, CONNECTIONS));
  try {
    await pool.query(BARE_TABLE);
    return figuresOf(
      await alternate(loadsOf(pool, store, opened || undefined, sizes.appendMs), sizes.rounds),
    );
  } finally {
    if (opened) await opened.close();
    await store.close();
    await pool.end();
  }
};

export const appendBench: Bench = {
  names: ['append_32', 'append_32_emmett', 'append_256', 'append_1'],
  run,
};
