import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { eventually } from '../../../test/support/engine.js';
import { FaultyProxy } from '../../../test/support/faultyProxy.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { silentLogger as logger } from '../../kernel/logger.js';
import { within } from '../../kernel/timeBudget.js';
import { lead, type Standing } from './leadership.js';
import { createPool } from './pool.js';

const entry = fileURLToPath(new URL('../../../test/support/leaderChild.ts', import.meta.url));

describe('leadership', () => {
  let db: TestDatabase;
  let children: ChildProcess[] = [];
  before(async () => {
    db = await createTestDatabase();
  });
  afterEach(async () => {
    for (const child of children) if (child.kill('SIGKILL')) await once(child, 'exit');
    children = [];
  });
  after(() => db.drop());

  /** A process that leads until it is told otherwise. */
  const leader = async (name: string, silenceMs: number): Promise<ChildProcess> => {
    const child = fork(entry, [db.url, name, String(silenceMs)], { execArgv: ['--import', 'tsx'] });
    children.push(child);
    await once(child, 'message');
    return child;
  };

  /** How long it takes until this process is elected. */
  const elected = async (name: string): Promise<number> => {
    const stop = new AbortController();
    const start = performance.now();
    await lead({ pool: db.pool, logger, name }, stop.signal, () => Promise.resolve(stop.abort()));
    return performance.now() - start;
  };

  it('is taken over at once from a process that was killed', async () => {
    const child = await leader('killed', 15_000);
    child.kill('SIGKILL');
    expect(await elected('killed')).to.be.lessThan(3_000);
  });

  it('is taken over from a process that hangs, which learns of it when it goes on', async function () {
    this.timeout(40_000);
    const child = await leader('hung', 2_000);
    child.kill('SIGSTOP');
    expect(await elected('hung')).to.be.lessThan(6_000);
    child.kill('SIGCONT');
    const [told] = (await once(child, 'message')) as [string];
    expect(told).to.equal('lost');
  });

  it('is taken over by a stand-by whose connection had fallen silent before', async () => {
    const url = new URL(db.url);
    const proxy = new FaultyProxy(Number(url.port));
    await proxy.start();
    url.port = String(proxy.port);
    const pool = createPool({ url: url.href, applicationName: 'standby', logger });
    const child = await leader('silent', 15_000);
    const stop = new AbortController();
    const takeOver = lead({ pool, logger, name: 'silent', silenceMs: 1_000 }, stop.signal, () =>
      Promise.resolve(stop.abort()),
    );
    try {
      const sessions = `SELECT FROM pg_stat_activity WHERE application_name = 'standby' AND query ~ 'try_advisory'`;
      await eventually(async () => (await db.pool.query(sessions)).rowCount === 1);
      proxy.vanish();
      child.kill('SIGKILL');
      await within(20_000, takeOver, () => new Error('nobody took over'));
    } finally {
      await proxy.stop();
      stop.abort();
      await pool.end();
    }
  });

  it('is not sought again before what was done with it has ended', async () => {
    const url = new URL(db.url);
    const proxy = new FaultyProxy(Number(url.port));
    await proxy.start();
    url.port = String(proxy.port);
    const pool = createPool({ url: url.href, logger });
    const stop = new AbortController();
    const told: Standing[] = [];
    const onStanding = (standing: Standing): number => told.push(standing);
    const end = new AbortController();
    const leading = lead({ pool, logger, name: 'slow to end', onStanding }, stop.signal, async (elected) => {
      await once(elected, 'abort');
      if (!end.signal.aborted) await once(end.signal, 'abort');
    });
    try {
      await eventually(() => Promise.resolve(told.includes('leading')));
      proxy.cut();
      await eventually(() => Promise.resolve(told.includes('ending')));
      await sleep(2_000); // long enough to stand again
      expect(told).to.deep.equal(['standing by', 'leading', 'ending']);
      end.abort();
      await eventually(() => Promise.resolve(told.lastIndexOf('leading') > told.indexOf('ending')));
    } finally {
      stop.abort();
      end.abort();
      await leading;
      await proxy.stop();
      await pool.end();
    }
  });

  it('stays with a leader that only has much to do', async function () {
    this.timeout(20_000);
    await leader('busy', 1_000);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 4_000);
    let won = false;
    await lead({ pool: db.pool, logger, name: 'busy' }, stop.signal, () => {
      won = true;
      return Promise.resolve();
    });
    expect(won).to.equal(false);
  });
});
