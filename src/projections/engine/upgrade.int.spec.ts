import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import {
  caught,
  digests,
  eventually,
  named,
  untilCaughtUp,
  upgraded,
  withLive,
} from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { projections } from '../index.js';
import { ProjectionEngine } from './engine.js';
import type { AnyProjection } from './fold.js';
import type { ProjectionStatus } from './status.js';

const log = recoveryHistories({ seed: 5, recoveries: 40 });
const v1 = named('recoveries');
const v2 = upgraded(v1);

/** Another process, of the version before, that is killed inside its rebuild. */
const killedRebuild = async (url: string): Promise<void> => {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/rebuildChild.ts'], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
  child.kill('SIGKILL');
  await once(child, 'exit');
};

describe('an upgrade of projections', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  const release = (...models: readonly AnyProjection[]) =>
    new ProjectionEngine({ store, pool: db.pool, projections: models, logger });

  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  const serve = async (engine: ProjectionEngine): Promise<void> => {
    await engine.ensure();
    await withLive(engine, () => untilCaughtUp(engine));
  };
  const statusOf = async (engine: ProjectionEngine, name = 'recoveries'): Promise<ProjectionStatus> => {
    const found = (await engine.status()).find((status) => status.name === name);
    if (found === undefined) throw new Error(`no status of ${name}`);
    return found;
  };
  const isServed = (engine: ProjectionEngine, version: number) => async () =>
    (await statusOf(engine)).fold_version === version;
  const notes = async (): Promise<(string | null)[]> => {
    const { rows } = await db.pool.query<{ note: string | null }>('SELECT DISTINCT note FROM recoveries');
    return rows.map(({ note }) => note);
  };

  const builds = async (): Promise<string[]> => {
    const { rows } = await db.pool.query<{ name: string }>(
      `SELECT name FROM projection_generations WHERE state = 'building'`,
    );
    return rows.map(({ name }) => name);
  };

  it('rebuilds side by side, while the old rows serve', async () => {
    await seedLog(db.pool, log);
    await serve(release(v1));
    const engine = release(v2);
    await engine.ensure();
    expect(await notes()).to.deep.equal([null]);
    await withLive(engine, async () => {
      await eventually(async () => (await notes())[0] === 'new');
      await untilCaughtUp(engine);
    });
    expect(await notes()).to.deep.equal(['new']);
  });

  it('leaves the rows and the view of newer code alone when older code starts beside it', async () => {
    await seedLog(db.pool, log.slice(0, 200));
    await serve(release(v1));
    const newer = release(v2);
    await newer.ensure();
    await withLive(newer, async () => {
      await eventually(isServed(newer, v2.version));
      const before = await statusOf(newer);
      const older = release(v1);
      await older.ensure();
      await withLive(older, async () => {
        await seedLog(db.pool, log.slice(200));
        await untilCaughtUp(newer);
        expect((await statusOf(older)).blocker).to.match(/left to the workers of the newer release/);
      });
      expect(await statusOf(newer)).to.deep.include({
        generation: before.generation,
        lag: { events: 0, seconds: 0 },
      });
      expect(await notes()).to.deep.equal(['new']);
    });
  });

  it('keeps the columns that an older release reads, in a view that is never dropped', async () => {
    await seedLog(db.pool, log);
    await serve(release(v1));
    const { expires_at: _dropped, ...columns } = v1.table.columns;
    const narrower = { ...v1, version: v2.version, table: { ...v1.table, columns } };
    const view = async () =>
      (await db.pool.query<{ oid: number }>(`SELECT 'recoveries'::regclass::oid AS oid`)).rows[0]?.oid;
    const before = await view();
    const engine = release(narrower);
    await engine.ensure();
    await withLive(engine, () => eventually(isServed(engine, v2.version)));
    const { rows } = await db.pool.query('SELECT DISTINCT expires_at FROM recoveries');
    expect(rows).to.deep.equal([{ expires_at: null }]);
    expect(await view()).to.equal(before);
  });

  it('builds anew what an operator of an older release brought back, once its workers are gone', async () => {
    await seedLog(db.pool, log);
    await serve(release(v1));
    const newer = release(v2);
    await newer.ensure();
    await withLive(newer, async () => {
      await eventually(isServed(newer, v2.version));
      await eventually(async () => (await caught(release(v1).rebuild(['recoveries']))) === undefined);
      await eventually(isServed(newer, v2.version));
      await untilCaughtUp(newer);
    });
    expect(await notes()).to.deep.equal(['new']);
  });

  it('goes back over a version only with the release that has it', async () => {
    await seedLog(db.pool, log);
    await serve(release(v1));
    const newer = release(v2);
    await newer.ensure();
    await withLive(newer, () => eventually(isServed(newer, v2.version)));
    expect(await statusOf(newer)).to.include({ can_roll_back: false });
    const refused = await caught(newer.rollback('recoveries'));
    expect(refused).to.include({ code: 'version_mismatch' });
    expect(String(refused)).to.contain(`folded by version ${v1.version}`);
    await release(v1).rollback('recoveries');
    expect(await statusOf(release(v1))).to.include({ fold_version: v1.version, can_roll_back: false });
  });

  it('that the table refuses names its model, waits, and holds up nobody else', async () => {
    await seedLog(db.pool, log.slice(0, 200));
    const others = [named('timers'), named('payments')].map((old) => upgraded(old));
    await serve(release(named('timers'), v1, named('payments')));
    const tooLarge = upgraded(v1, 2 ** 40, 'integer');
    const rebuilds: string[] = [];
    const engine = new ProjectionEngine({
      store,
      pool: db.pool,
      projections: [...others, tooLarge],
      logger: {
        ...logger,
        child: () => ({ ...logger, info: (_: unknown, told: string) => void rebuilds.push(told) }),
      } as never,
    });
    await engine.ensure();
    await withLive(engine, async () => {
      const failed = await eventually(async () => {
        const status = await statusOf(engine);
        return status.error !== null && status;
      });
      expect(failed).to.include({ state: 'failed', fold_version: v1.version });
      expect(failed.error?.message).to.contain('out of range for type integer');
      expect(failed.blocker).to.contain('failed to be rebuilt');
      await seedLog(db.pool, log.slice(200));
      for (const { table } of others)
        expect(await engine.waitFor(table.name, BigInt(log.length), 10_000)).to.equal(true);
      const tries = rebuilds.length;
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(rebuilds.length - tries).to.be.at.most(1);
    });
    const { rows } = await db.pool.query('SELECT count(*)::int AS n FROM recoveries');
    expect(rows).to.not.deep.equal([{ n: 0 }]);
  });

  it('puts each model into service as soon as it is built, the first of the list first', async () => {
    await seedLog(db.pool, log);
    const names = ['timers', 'recoveries', 'payments'];
    await serve(release(...names.map(named)));
    const engine = release(...names.map((name) => upgraded(named(name))));
    await engine.ensure();
    await withLive(engine, () =>
      eventually(async () =>
        (await engine.status()).every(({ name, fold_version }) => fold_version === named(name).version + 1),
      ),
    );
    const { rows } = await db.pool.query<{ name: string }>(
      `SELECT name FROM projection_generations WHERE state = 'active' ORDER BY generation`,
    );
    expect(rows.map(({ name }) => name)).to.deep.equal(names);
    expect(Object.keys(await digests(db.pool, engine))).to.have.members(names);
  });

  it('clears away what a killed rebuild of another version left behind', async () => {
    await seedLog(db.pool, log);
    await serve(release(...projections));
    const newer = release(v2);
    for (let kill = 0; kill < 3; kill++) {
      await killedRebuild(db.url);
      const left = await builds();
      await eventually(
        async () => (await caught(newer.rebuild(['recoveries'], { batch: 50 }))) === undefined,
      );
      expect(await notes()).to.deep.equal(['new']);
      expect(await builds(), `after ${left.length} builds were left`).to.not.include('recoveries');
    }
    expect(await statusOf(newer)).to.include({ fold_version: v2.version, can_roll_back: true });
  }).timeout(60_000);

  it('never gives the number of a table to another one', async () => {
    await seedLog(db.pool, log);
    const engine = release(v1);
    await engine.ensure();
    const stop = new AbortController();
    const stopped = engine.rebuild(['recoveries'], { signal: stop.signal, onProgress: () => stop.abort() });
    expect(await caught(stopped)).to.be.instanceOf(Error);
    await engine.rebuild(['recoveries']);
    expect((await statusOf(engine)).generation).to.equal(3);
  });
});
