import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { deriveId } from '../../kernel/ids.js';
import { pgTimerLeases } from './pgTimerLeases.js';

const NOW = '2026-03-01T10:00:00.000Z';
const idOf = (n: number): string => deriveId('timer', String(n));

describe('pgTimerLeases', () => {
  let db: TestDatabase;
  let leases: ReturnType<typeof pgTimerLeases>;

  before(async () => {
    db = await createTestDatabase();
    leases = pgTimerLeases(db.pool);
    await db.pool.query(
      'CREATE TABLE timers (key uuid PRIMARY KEY, org_id uuid, due_at timestamptz, position bigint)',
    );
  });
  after(() => db.drop());
  beforeEach(() => db.pool.query('TRUNCATE timers, timer_leases'));

  const timer = (n: number, dueAt = NOW, position = 10) =>
    db.pool.query(
      'INSERT INTO timers VALUES ($1, $1, $2, $3) ON CONFLICT (key) DO UPDATE SET due_at = $2, position = $3',
      [idOf(n), dueAt, position],
    );
  const expire = () =>
    db.pool.query(`UPDATE timer_leases SET leased_until = clock_timestamp() - interval '1 second'`);
  const claimOne = async () => {
    const [claim] = await leases.claim(NOW, 1);
    if (claim === undefined) throw new Error('nothing to claim');
    return claim;
  };

  it('claims what is due, the longest overdue first, and nothing else', async () => {
    await timer(1, '2026-03-01T10:00:00.001Z');
    await timer(2, '2026-03-01T09:00:00.000Z');
    await timer(3, '2026-03-01T08:00:00.000Z');
    const claims = await leases.claim(NOW, 1);
    expect(claims.map(({ recoveryId }) => recoveryId)).to.deep.equal([idOf(3)]);
    expect(await leases.claim(NOW, 9)).to.have.length(1);
    expect(await leases.claim(NOW, 9)).to.deep.equal([]);
  });

  it('gives each timer to one of many workers that ask at once', async () => {
    for (let n = 0; n < 40; n++) await timer(n);
    const claims = (await Promise.all(Array.from({ length: 12 }, () => leases.claim(NOW, 10)))).flat();
    for (let more = await leases.claim(NOW, 10); more.length > 0; more = await leases.claim(NOW, 10))
      claims.push(...more);
    expect(claims).to.have.length(40);
    expect(new Set(claims.map(({ recoveryId }) => recoveryId)).size).to.equal(40);
  });

  it('fences a worker whose lease ran out', async () => {
    await timer(1);
    const slow = await claimOne();
    expect(await leases.renew(slow)).to.equal(true);
    await expire();
    expect(await leases.renew(slow)).to.equal(false);
    const next = await claimOne();
    expect(next.leaseId).to.not.equal(slow.leaseId);
    await leases.release(slow, 99n); // a late hand-back frees nothing
    expect(await leases.claim(NOW, 1)).to.deep.equal([]);
    expect(await leases.renew(next)).to.equal(true);
  });

  it('passes over a timer folded from older events than were seen, until it is folded on', async () => {
    await timer(1, NOW, 10);
    await leases.release(await claimOne(), 12n);
    expect(await leases.claim(NOW, 1)).to.deep.equal([]);
    await timer(1, NOW, 12);
    expect((await claimOne()).timerPosition).to.equal(12n);
  });

  it('forgets leases of timers that are gone, not those in use', async () => {
    await timer(1);
    await timer(2);
    for (const claim of await leases.claim(NOW, 2)) await leases.release(claim, 1n);
    await db.pool.query('DELETE FROM timers WHERE key = $1', [idOf(1)]);
    expect(await leases.dropOrphans()).to.equal(1);
    expect(await leases.claim(NOW, 2)).to.have.length(1);
  });
});
