import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RecordedEvent } from '../../events/envelope.js';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import {
  caught,
  digest,
  digests,
  eventually,
  named,
  untilCaughtUp,
  withLive,
} from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { projections } from '../index.js';
import { ProjectionEngine } from './engine.js';
import { isProjectionError } from './errors.js';
import type { AnyProjection } from './fold.js';

const log = recoveryHistories({ seed: 11, recoveries: 60 });

describe('projection engine', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  const told: unknown[] = [];
  const onError = (error: unknown): void => void told.push(error);
  const engineOf = (models: readonly AnyProjection[] = projections) =>
    new ProjectionEngine({ store, pool: db.pool, projections: models, logger, onError });

  beforeEach(async () => {
    told.length = 0;
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  const tables = async (): Promise<string[]> => {
    const { rows } = await db.pool.query<{ relname: string }>(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'recoveries\\_\\_g%' ORDER BY relname`,
    );
    return rows.map(({ relname }) => relname);
  };
  /** What the live fold makes of the log, in a database of its own state: the measure of everything else. */
  const filled = async (): Promise<Record<string, string>> => {
    const engine = engineOf();
    await engine.ensure();
    await withLive(engine, () => untilCaughtUp(engine));
    return digests(db.pool, engine);
  };

  it('comes back byte-equal and without leftovers after 20 kills inside a rebuild', async () => {
    await seedLog(db.pool, log);
    const live = await filled();
    for (let kill = 0; kill < 20; kill++) {
      const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/rebuildChild.ts'], {
        env: { ...process.env, DATABASE_URL: db.url },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 700));
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await digests(db.pool, engineOf()), `served rows after kill ${kill + 1}`).to.deep.equal(live);
    }
    await eventually(async () => (await caught(engineOf().rebuild('all'))) === undefined);
    expect(await digests(db.pool, engineOf())).to.deep.equal(live);
    expect(await tables()).to.have.lengthOf(2); // served, and kept for rollback
  }).timeout(180_000);

  it('leaves nothing behind when a fold fails while rows are being written', async () => {
    await seedLog(db.pool, log);
    const live = await filled();
    const before = await tables();
    const poison = log.findLast(({ type }) => type === 'RetryDeclined') as RecordedEvent;
    const good = named('recoveries');
    const bad: AnyProjection = {
      ...good,
      project: (row, event, key) => {
        if (event.id === poison.id) throw new Error('no such attempt');
        return good.project(row, event, key);
      },
    };
    const error = await caught(engineOf([bad]).rebuild('all', { batch: 1_000, maxRowsInMemory: 8 }));
    expect(error).to.have.nested.property('cause.message', 'no such attempt');
    expect(await tables()).to.deep.equal(before);
    expect(await digests(db.pool, engineOf())).to.deep.equal(live);
    const { rows } = await db.pool.query(`SELECT 1 FROM projection_generations WHERE state = 'building'`);
    expect(rows).to.deep.equal([]);
  });

  it('rebuilds while writers append, and loses nothing', async () => {
    await seedLog(db.pool, log.slice(0, 200));
    const engine = engineOf();
    await engine.ensure();
    await withLive(engine, async () => {
      const writing = (async () => {
        for (let from = 200; from < log.length; from += 10)
          await seedLog(db.pool, log.slice(from, from + 10));
      })();
      for (let round = 0; round < 3; round++) await engine.rebuild('all', { batch: 50, maxRowsInMemory: 30 });
      await writing;
      await untilCaughtUp(engine);
    });
    const live = await digests(db.pool, engine);
    await engine.rebuild('all');
    expect(await digests(db.pool, engine)).to.deep.equal(live);
  }).timeout(60_000);

  it('refuses a second rebuild of the same projection at the same time', async () => {
    await seedLog(db.pool, log);
    const engine = engineOf();
    await engine.ensure();
    const outcomes = await Promise.all([
      caught(engine.rebuild('all', { batch: 5 })),
      caught(engineOf().rebuild(['recoveries'])),
    ]);
    const refused = outcomes.filter((error) => error !== undefined);
    expect(refused).to.have.lengthOf(1);
    expect(isProjectionError(refused[0]) && refused[0].code).to.equal('rebuild_running');
  });

  it('never folds an event twice with two workers on every projection', async () => {
    const [one, two] = [engineOf(), engineOf()];
    await one.ensure();
    await withLive(one, () =>
      withLive(two, async () => {
        for (let from = 0; from < log.length; from += 7) await seedLog(db.pool, log.slice(from, from + 7));
        await untilCaughtUp(one);
        await untilCaughtUp(two);
      }),
    );
    const live = await digests(db.pool, one);
    await one.rebuild('all');
    expect(await digests(db.pool, one)).to.deep.equal(live);
  }).timeout(60_000);

  it('goes back to the table before the last rebuild, and catches up from there', async () => {
    await seedLog(db.pool, log.slice(0, 100));
    await filled();
    const engine = engineOf();
    const [first] = await tables();
    expect(await caught(engine.rollback('recoveries'))).to.have.property('code', 'no_previous_generation');
    await engine.rebuild(['recoveries']);
    await seedLog(db.pool, log.slice(100));
    await engine.rollback('recoveries');
    const status = (await engine.status()).find(({ name }) => name === 'recoveries');
    expect(`recoveries__g${status?.generation}`).to.equal(first);
    expect(status).to.include({ position: '100', can_roll_back: true });
    expect(status?.lag.events).to.equal(
      log.slice(100).filter(({ type }) => (named('recoveries').events as readonly string[]).includes(type))
        .length,
    );
    await withLive(engine, () => untilCaughtUp(engine));
    const live = await digest(db.pool, 'recoveries');
    await engine.rebuild(['recoveries']);
    expect(await digest(db.pool, 'recoveries')).to.equal(live);
  });

  it('knows at once that another process went back to an earlier table', async () => {
    await seedLog(db.pool, log.slice(0, 100));
    await filled();
    await engineOf().rebuild(['recoveries']);
    const engine = engineOf();
    await withLive(engine, async () => {
      await seedLog(db.pool, log.slice(100));
      await untilCaughtUp(engine);
      await engineOf().pause('recoveries');
      await engineOf().rollback('recoveries');
      expect(await engine.waitFor('recoveries', BigInt(log.length), 100)).to.equal(false);
      expect(await engine.positionOf('recoveries')).to.equal(100n);
      await engineOf().resume('recoveries');
      expect(await engine.waitFor('recoveries', BigInt(log.length), 10_000)).to.equal(true);
    });
  });

  it('stops alone at an event it cannot fold, says where and why, and goes on after the fix', async () => {
    await seedLog(db.pool, log);
    const poison = log.filter(({ type }) => type === 'RetryScheduled')[20] as RecordedEvent;
    let fixed = false;
    const good = named('recoveries');
    const bad: AnyProjection = {
      ...good,
      project: (row, event, key) => {
        if (!fixed && event.id === poison.id) throw new Error('no such attempt');
        return good.project(row, event, key);
      },
    };
    const engine = engineOf([bad, named('timers'), named('payments')]);
    await engine.ensure();
    await withLive(engine, async () => {
      const failed = await eventually(async () =>
        (await engine.status()).find(({ state }) => state === 'failed'),
      );
      expect(failed).to.deep.include({ name: 'recoveries' });
      expect(failed.error).to.deep.equal({
        position: String(poison.position),
        event_id: poison.id,
        type: 'RetryScheduled',
        message: 'no such attempt',
      });
      expect(failed.blocker).to.contain('failed on RetryScheduled');
      expect(told[0]).to.have.nested.property('cause.message', 'no such attempt');
      expect(BigInt(failed.position) < poison.position).to.equal(true);
      expect(await engine.waitFor('timers', BigInt(log.length), 10_000)).to.equal(true);
      fixed = true;
      await engine.resume('recoveries');
      await untilCaughtUp(engine);
    });
    const live = await digest(db.pool, 'recoveries');
    await engine.rebuild(['recoveries']);
    expect(await digest(db.pool, 'recoveries')).to.equal(live);
  });

  it('answers a row as it was known at a position or an instant', async () => {
    await seedLog(db.pool, log);
    const engine = engineOf();
    await engine.ensure();
    const history = log.filter(
      ({ stream }) => stream === log.find(({ type }) => type === 'RecoveryStarted')?.stream,
    );
    const [first, second] = history as [RecordedEvent, RecordedEvent];
    const key = first.stream.slice('recovery-'.length);
    expect(await engine.asOf('recoveries', key, { position: first.position - 1n })).to.equal(undefined);
    expect(await engine.asOf('recoveries', key, { position: first.position })).to.include({ revision: 0 });
    expect(await engine.asOf('recoveries', key, { instant: second.recorded_at })).to.have.property(
      'revision',
    );
    expect(await caught(engine.asOf('analytics_daily', key, { position: 1n }))).to.have.property(
      'code',
      'as_of_unsupported',
    );
  });

  it('holds still while it is paused, and tells why', async () => {
    const engine = engineOf();
    await engine.ensure();
    await engine.pause('recoveries');
    await seedLog(db.pool, log);
    await withLive(engine, async () => {
      expect(await engine.waitFor('timers', BigInt(log.length), 10_000)).to.equal(true);
      expect(await engine.waitFor('recoveries', 1n, 200)).to.equal(false);
      const paused = (await engine.status()).find(({ name }) => name === 'recoveries');
      expect(paused).to.include({ state: 'paused', position: '0' });
      await engine.resume('recoveries');
      await untilCaughtUp(engine);
    });
    expect(
      (await engine.status()).every(({ lag, state }) => lag.events === 0 && state === 'running'),
    ).to.equal(true);
  });
});
