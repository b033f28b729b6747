/** The whole system with its log in EventStoreDB: as always, while the log is away, and when it is back. */
import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliServices } from '../src/cli/services.js';
import { settlePort } from '../src/composition/port.js';
import { type Config, readConfig } from '../src/config.js';
import type { RecordedEvent } from '../src/events/envelope.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { ManualClock } from '../src/infra/systemClock.js';
import { silentLogger } from '../src/kernel/logger.js';
import { compose } from '../src/main.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { atRest, digests, eventually } from './support/engine.js';
import { sampleEvents, uniqueStream } from './support/eventSamples.js';
import { type EventStoreDbDouble, startEventStoreDb } from './support/eventStoreDb/double.js';
import { Merchant } from './support/merchant.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';

interface Health {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

describe('the system on EventStoreDB', function () {
  this.timeout(120_000);
  const clock = new ManualClock();
  const stop = new AbortController();
  let log: EventStoreDbDouble;
  let db: TestDatabase;
  let dir: string;
  let config: Config;
  let services: CliServices;
  let serving: Promise<void>;
  const merchant = new Merchant(() => `http://127.0.0.1:${config.port}`, clock);

  const configOf = (eventStoreUrl: string | undefined): Promise<Config> =>
    settlePort(
      readConfig({
        DATABASE_URL: db.url,
        DATA_DIR: dir,
        PORT: '0',
        HEALTH_PORT: '0',
        LOG_LEVEL: 'silent',
        EVENTSTORE_URL: eventStoreUrl,
      }),
    );

  before(async () => {
    [log, db] = [await startEventStoreDb(), await createTestDatabase()];
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-esdb-'));
    config = await configOf(log.url);
    services = await compose(config, 'serve', { clock });
    serving = services.serve({ roles: [], signal: stop.signal });
    serving.catch(() => undefined);
    await eventually(async () => (await merchant.call('/readyz').catch(() => undefined))?.status === 200);
  });

  after(async () => {
    stop.abort();
    await serving.catch(() => undefined);
    await services.close();
    await log.close();
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const eventsOf = async (type: string): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for await (const delivery of services.store.readAll({ after: 0n, filter: { types: [type] } }))
      if (delivery.kind === 'events') events.push(...delivery.events);
    return events;
  };

  /** Commands are refused in time and in the right form; what only reads read models is answered. */
  const refusesCommandsAndReadsOn = async (ref: string): Promise<void> => {
    const start = performance.now();
    const refused = await merchant.report(ref);
    expect(refused.status).to.equal(503);
    expect(performance.now() - start).to.be.lessThan(4000); // three seconds, and a busy machine
    expect(refused.headers.get('content-type')).to.match(/^application\/problem\+json/);
    expect(Number(refused.headers.get('retry-after'))).to.be.greaterThan(0);
    expect(refused.body['code']).to.equal('unavailable');
    expect((await merchant.call('/v1/recoveries')).status).to.equal(200);
    // Readiness is looked at once a second.
    await eventually(async () => {
      const { status, body } = await merchant.call<Health>('/readyz');
      return status === 200 && body.checks.find(({ name }) => name === 'event store')?.ok === false;
    });
  };

  it('takes a payment from its failure to its recovery', async () => {
    expect((await merchant.register('esdb')).status).to.equal(201);
    const failed = await merchant.report('first');
    expect(failed.status).to.equal(202);
    const position = String(failed.headers.get('x-event-position'));
    expect(BigInt(position) > 0n).to.equal(true);
    const own = await merchant.call('/v1/payments', { headers: { 'x-min-position': position } });
    expect([own.status, own.text.includes('first')]).to.deep.equal([200, true]);
    const { id } = await merchant.recovered('first');
    expect((await merchant.call(`/v1/recoveries/${id}`)).body).to.include({ status: 'succeeded' });
    expect(await eventsOf('RecoverySucceeded')).to.have.length(1);
    expect((await db.pool.query('SELECT FROM events')).rowCount).to.equal(0);
  });

  it('tells an operator how it stands', async () => {
    const checks = await services.databaseChecks();
    for (const name of ['event store', 'one log'])
      expect(checks.find((check) => check.name === name)?.ok, name).to.equal(true);
    const { head } = (await services.projections.status())[0] ?? {};
    expect(head).to.equal(String(await services.store.head()));
  });

  it('refuses commands and reads on while the server is down, and goes on when it is back', async () => {
    expect((await merchant.report('before')).status).to.equal(202);
    await log.stop();
    await refusesCommandsAndReadsOn('second');
    await log.start();
    await eventually(async () => (await merchant.report('second')).status === 202);
    await merchant.recovered('before');
    await merchant.recovered('second');
  });

  it('does the same when the server hangs', async () => {
    log.hang();
    await refusesCommandsAndReadsOn('third');
    log.resume();
    await eventually(async () => (await merchant.report('third')).status === 202);
    await merchant.recovered('third');
    expect((await eventsOf('PaymentFailed')).map(({ data }) => data)).to.have.length(4);
  });

  it('answers in time when reading and appending are slow, too', async () => {
    const policy = {
      max_retries: 2,
      initial_delay_minutes: 60,
      backoff_multiplier: 2,
      max_delay_minutes: 240,
    };
    const change = () =>
      merchant.call('/v1/retry/policies/active', {
        method: 'PUT',
        json: { ...policy, enabled_channels: [] },
      });
    await atRest(services.store);
    const { append } = log.calls;
    log.quirks.slow = { reads: 1800, appends: 5000 };
    const start = performance.now();
    const refused = await change();
    expect([refused.status, refused.body['code']]).to.deep.equal([503, 'unavailable']);
    expect(performance.now() - start).to.be.lessThan(4000); // three seconds, and a busy machine
    expect(log.calls.append - append).to.be.at.most(1); // there was no time for another try
    log.quirks.slow = { reads: 0, appends: 0 };
    await eventually(async () => (await change()).status === 200);
  });

  it('has read models equal to a rebuild, byte by byte', async () => {
    const { store } = services;
    const head = await atRest(services.store);
    const engine = new ProjectionEngine({ store, pool: db.pool, projections, logger: silentLogger });
    for (const { name } of engine.list()) expect(await engine.waitFor(name, head, 15_000)).to.equal(true);
    const live = await digests(db.pool, engine);
    await engine.rebuild('all');
    expect(await digests(db.pool, engine)).to.deep.equal(live);
  });

  it('does not start on another log than the one its read models come from', async () => {
    const startsOn = async (eventStoreUrl: string | undefined): Promise<string> => {
      const other = await compose(await configOf(eventStoreUrl), 'serve', { clock });
      const started = other.serve({ roles: ['projector'], signal: AbortSignal.timeout(5000) });
      const outcome = await started.then(
        () => 'started',
        (error: unknown) => String(error),
      );
      await other.close();
      return outcome;
    };
    const empty = await startEventStoreDb();
    const onEmpty = await startsOn(empty.url).finally(() => empty.close());
    expect(onEmpty).to.include('the log ends at');
    expect(empty.log.records.filter(({ type }) => !type.startsWith('$'))).to.deep.equal([]); // nor is it claimed
    expect(await startsOn(undefined)).to.include('the log ends at 0');
    const own = new PgEventStore({ pool: db.pool });
    await own.append(uniqueStream(), 'no_stream', sampleEvents(1));
    await own.close();
    expect(await startsOn(log.url)).to.include('a log of its own');
  });
});
