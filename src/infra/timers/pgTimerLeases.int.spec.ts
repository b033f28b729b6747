import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { ClaimRequest } from '../../kernel/timerLeases.js';
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
      'CREATE TABLE timers (key uuid PRIMARY KEY, org_id uuid, due_at timestamptz, position bigint, kind text)',
    );
  });
  after(() => db.drop());
  beforeEach(() => db.pool.query('TRUNCATE timers, timer_leases'));

  const timer = (n: number, dueAt = NOW, position = 10, { org = n, kind = 'retry' } = {}) =>
    db.pool.query(
      `INSERT INTO timers VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at, position = excluded.position`,
      [idOf(n), idOf(org), dueAt, position, kind],
    );
  const claim = (limit: number, over: Partial<ClaimRequest> = {}) =>
    leases.claim({ now: NOW, work: 'charge', limit, perOrganization: 9, held: [], ...over });
  const expire = () =>
    db.pool.query(`UPDATE timer_leases SET leased_until = clock_timestamp() - interval '1 second'`);
  const claimOne = async () => {
    const [claimed] = await claim(1);
    if (claimed === undefined) throw new Error('nothing to claim');
    return claimed;
  };

  it('claims what is due, the longest overdue first, and nothing else', async () => {
    await timer(1, '2026-03-01T10:00:00.001Z');
    await timer(2, '2026-03-01T09:00:00.000Z');
    await timer(3, '2026-03-01T08:00:00.000Z');
    const claims = await claim(1);
    expect(claims.map(({ recoveryId }) => recoveryId)).to.deep.equal([idOf(3)]);
    expect(await claim(9)).to.have.length(1);
    expect(await claim(9)).to.deep.equal([]);
  });

  it('claims mails apart from all else', async () => {
    await timer(1, NOW, 10, { kind: 'notify' });
    await timer(9, NOW, 10, { kind: 'alert' });
    for (const [i, kind] of ['retry', 'settle', 'abandon', 'close'].entries())
      await timer(i + 2, NOW, 10, { kind });
    const mails = (await claim(9, { work: 'mail' })).map(({ recoveryId }) => recoveryId);
    expect(mails).to.have.members([idOf(1), idOf(9)]);
    expect(await claim(9)).to.have.length(4);
  });

  it('gives every organization its first place before any its second, and none more than its share', async () => {
    for (let n = 0; n < 20; n++) await timer(n, '2026-03-01T08:00:00.000Z', 10, { org: 100 });
    for (const [n, org] of [
      [20, 101],
      [21, 102],
      [22, 102],
    ] as const)
      await timer(n, '2026-03-01T09:00:00.000Z', 10, { org });
    const orgs = (claims: readonly { orgId: string }[]) =>
      [100, 101, 102].map((org) => claims.filter(({ orgId }) => orgId === idOf(org)).length);
    const first = await claim(4, { perOrganization: 3 });
    expect(orgs(first).map((n) => n > 0)).to.deep.equal([true, true, true]);
    const held = first.map(({ orgId }) => orgId);
    expect(orgs([...first, ...(await claim(9, { perOrganization: 3, held }))])).to.deep.equal([3, 1, 2]);
    const full = Array<OrgId>(3).fill(idOf(100) as OrgId);
    expect(await claim(9, { perOrganization: 3, held: full })).to.deep.equal([]);
    expect(await claim(9, { perOrganization: 3, held: full.slice(1) })).to.have.length(1);
  });

  it('gives each timer to one of many workers that ask at once', async () => {
    for (let n = 0; n < 40; n++) await timer(n);
    const claims = (await Promise.all(Array.from({ length: 12 }, () => claim(10)))).flat();
    for (let more = await claim(10); more.length > 0; more = await claim(10)) claims.push(...more);
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
    expect(await claim(1)).to.deep.equal([]);
    expect(await leases.renew(next)).to.equal(true);
  });

  it('passes over a timer folded from older events than were seen, until it is folded on', async () => {
    await timer(1, NOW, 10);
    await leases.release(await claimOne(), 12n);
    expect(await claim(1)).to.deep.equal([]);
    await timer(1, NOW, 12);
    expect((await claimOne()).timerPosition).to.equal(12n);
  });

  it('forgets leases of timers that are gone, not those in use', async () => {
    await timer(1);
    await timer(2);
    for (const claimed of await claim(2)) await leases.release(claimed, 1n);
    await db.pool.query('DELETE FROM timers WHERE key = $1', [idOf(1)]);
    expect(await leases.dropOrphans()).to.equal(1);
    expect(await claim(2)).to.have.length(1);
  });
});
