import { expect } from 'chai';
import type { RecordedEvent } from '../../events/envelope.js';
import { PgEventStore } from '../../infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { named, untilCaughtUp, withLive } from '../../../test/support/engine.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recoveryHistories } from '../../../test/support/recoveryHistories.js';
import { seedLog } from '../../../test/support/seedLog.js';
import { ProjectionEngine } from './engine.js';
import type { ProjectionStatus } from './status.js';

const log = recoveryHistories({ seed: 13, recoveries: 20 });
const model = named('recoveries');
const counts = ({ type }: RecordedEvent): boolean => (model.events as readonly string[]).includes(type);

describe('the status of projections', () => {
  let db: TestDatabase;
  let store: PgEventStore;
  let engine: ProjectionEngine;

  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
    engine = new ProjectionEngine({ store, pool: db.pool, projections: [model], logger });
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  const status = async (): Promise<ProjectionStatus> => {
    const [only] = await engine.status();
    if (only === undefined) throw new Error('no status');
    return only;
  };
  /** The log learnt of the events so long ago. */
  const seed = async (events: readonly RecordedEvent[], secondsAgo: number): Promise<void> => {
    const recorded_at = new Date(Date.now() - secondsAgo * 1_000).toISOString();
    await seedLog(
      db.pool,
      events.map((event) => ({ ...event, recorded_at })),
    );
  };

  it('says before the first start that there is no table', async () => {
    expect(await status()).to.include({ state: 'absent', generation: null, position: '0' });
    expect((await status()).blocker).to.contain('no worker has been started');
  });

  it('counts the lag against the true head: its own events, and the age of the oldest', async () => {
    const [done, waiting] = [log.slice(0, 60), log.slice(60)];
    await engine.ensure();
    await seed(done, 300);
    await withLive(engine, () => untilCaughtUp(engine));
    expect(await status()).to.deep.include({
      position: '60',
      head: '60',
      lag: { events: 0, seconds: 0 },
      blocker: null,
    });
    await seed(waiting, 90);
    const { position, head, lag, last_event_at } = await status();
    expect({ position, head }).to.deep.equal({ position: '60', head: String(log.length) });
    expect(lag.events).to.equal(waiting.filter(counts).length);
    expect(lag.seconds).to.be.within(90, 120);
    expect(Date.now() - Date.parse(last_event_at ?? '')).to.be.within(300_000, 330_000);
  });

  it('tells how long no worker had it in hand, and since when there is none', async () => {
    await engine.ensure();
    expect(await status()).to.include({ heartbeat_age_seconds: null });
    expect((await status()).blocker).to.contain('none has been started yet');
    await seed(log, 1);
    await withLive(engine, () => untilCaughtUp(engine));
    expect((await status()).heartbeat_age_seconds).to.be.within(0, 14);
    await db.pool.query(`UPDATE projection_generations SET heartbeat_at = now() - interval '40 seconds'`);
    const { heartbeat_age_seconds: age, blocker } = await status();
    expect(age).to.be.within(40, 70);
    expect(blocker).to.match(/^no live worker since \d{4}-\d\d-\d\dT/);
  });

  it('tells that an operator paused it, also after it failed', async () => {
    await engine.ensure();
    await engine.pause('recoveries');
    expect(await status()).to.include({
      state: 'paused',
      blocker: 'paused by an operator; `projections resume` lets it go on',
    });
    const error = { position: '7', event_id: log[6]?.id, type: 'RetryScheduled', message: 'no such attempt' };
    await db.pool.query('UPDATE projection_generations SET error = $1', [JSON.stringify(error)]);
    expect(await status()).to.deep.include({ state: 'paused', error });
    expect((await status()).blocker).to.contain('after it failed on RetryScheduled at 7: no such attempt');
  });

  it('shows what a rebuild is doing', async () => {
    await engine.ensure();
    await seed(log, 1);
    const seen: Promise<ProjectionStatus>[] = [];
    await engine.rebuild(['recoveries'], {
      batch: 1,
      onProgress: ({ phase }) => void (phase === 'writing' && seen.push(status())),
    });
    const [during] = await Promise.all(seen);
    expect(during).to.include({ state: 'rebuilding' });
    expect(during?.rebuild).to.include({ fold_version: model.version });
    expect(await status()).to.include({ rebuild: null, state: 'running' });
  });
});
