import { expect } from 'chai';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { orgIdOf } from '../src/kernel/ids.js';
import { silentLogger } from '../src/kernel/logger.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { runCli } from './support/cli.js';
import { declineHistory, type FailedPayment, recoveryOf } from './support/declines/history.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { seedLog } from './support/seedLog.js';

const [acme, other] = [orgIdOf('acme'), orgIdOf('other')];
const BEFORE = '2026-11-10T10:00:00.000Z';
const AFTER = '2026-12-01T10:00:00.000Z';

/** Visa's 83 was in no table then; Mastercard's 41 did not forbid; `flux` never was a code. */
const risk = { network_code: '83', card_brand: 'visa' };
const single = { advice_code: '41', card_brand: 'mastercard' };
const steered = { code: '\u001b[2Jflux', card_brand: 'Visa' };
const payments: readonly FailedPayment[] = [
  {
    org: acme,
    ref: 'one',
    at: BEFORE,
    failures: [risk, { decline_code: 'insufficient_funds' }],
    amount: 1_000,
  },
  { org: other, ref: 'two', at: BEFORE, failures: [risk], amount: 2_050 },
  { org: acme, ref: 'three', at: BEFORE, failures: [risk], amount: 500, currency: 'JPY' },
  { org: acme, ref: 'four', at: BEFORE, failures: [{}, single], declined: true, amount: 700 },
  {
    org: acme,
    ref: 'five',
    at: AFTER,
    failures: [steered, steered, { decline_code: 'stolen_card', ...steered }],
  },
  { org: other, ref: 'six', at: AFTER, failures: [steered, { decline_code: 'zzz' }] },
];

describe('recovery declines on Postgres', () => {
  let database: TestDatabase;
  let store: PgEventStore;

  before(async function () {
    this.timeout(60_000);
    database = await createTestDatabase();
    const { pool } = database;
    store = new PgEventStore({ pool });
    await seedLog(pool, declineHistory(payments));
    const engine = new ProjectionEngine({ store, pool, projections, logger: silentLogger });
    await engine.ensure();
    await engine.rebuild('all');
  });
  after(async () => {
    await store.close();
    await database.drop();
  });

  const declines = (...args: string[]) =>
    runCli(['declines', ...args], { services: { db: database.pool, store } });
  const linesOf = (out: string): Record<string, unknown>[] =>
    out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

  describe('unmapped', () => {
    it('lists what no table knew across organizations, the most frequent first, and steers no terminal', async () => {
      const { code, out } = await declines('unmapped');
      expect(code).to.equal(0);
      const [head, ...rows] = out.split('\n');
      expect(head).to.equal('field\tvalue\tbrand\tcount\torganizations\tfirst_seen\tlast_seen\trecovery_id');
      expect(rows.map((row) => row.split('\t').slice(0, 5).join(' '))).to.deep.equal([
        'code \\u{1b}[2Jflux visa 4 2',
        'network_code 83 visa 3 2',
        'decline_code zzz unknown 1 1',
      ]);
      expect(out).to.not.contain('\u001b');
    });

    it('gives an organization’s own, as JSON, no more than asked for', async () => {
      const { data } = JSON.parse((await declines('unmapped', '--org', other, '--json')).out) as {
        data: object[];
      };
      expect(data).to.have.length(3);
      expect(data).to.deep.include({
        field: 'code',
        value: steered.code,
        brand: 'visa',
        count: 1,
        organizations: 1,
        first_seen: AFTER,
        last_seen: AFTER,
        recovery_id: recoveryOf({ org: other, ref: 'six' }),
      });
      expect((await declines('unmapped', '--limit', '1')).out.split('\n')).to.have.length(2);
    });
  });

  describe('reclassify', () => {
    const dryRun = (...args: string[]) =>
      declines('reclassify', '--table', '2026-11-29', '--dry-run', ...args);

    it('lists the recoveries that would have gone elsewhere, and the amounts at stake', async () => {
      const { code, out } = await dryRun();
      expect(code).to.equal(0);
      const one = recoveryOf({ org: acme, ref: 'one' });
      expect(out.split('\n')).to.include(
        `${one}  ${BEFORE}  €10.00  unknown (allowed) -> issuer_risk (allowed)  none -> network_code 83`,
      );
      expect(out.split('\n').slice(-3)).to.deep.equal([
        '11 failures read by tables 2026-11-29: 4 recoveries would have gone elsewhere.',
        '  3  unknown (allowed) -> issuer_risk (allowed)  €30.50, ¥500',
        '  1  not_permitted (after_change) -> not_permitted (never)  €7.00',
      ]);
    });

    it('the same as JSON, a line each', async () => {
      const lines = linesOf((await dryRun('--json')).out);
      expect(lines).to.have.length(5);
      expect(lines.at(-1)).to.deep.equal({
        totals: {
          table_version: '2026-11-29',
          failures: 11,
          changes: [
            {
              before: { category: 'unknown', retry: 'allowed' },
              after: { category: 'issuer_risk', retry: 'allowed' },
              recoveries: 3,
              amounts: { EUR: '3050', JPY: '500' },
            },
            {
              before: { category: 'not_permitted', retry: 'after_change' },
              after: { category: 'not_permitted', retry: 'never' },
              recoveries: 1,
              amounts: { EUR: '700' },
            },
          ],
        },
      });
    });

    it('of an organization, and of a time', async () => {
      const ids = async (...args: string[]) =>
        linesOf((await dryRun('--json', ...args)).out).flatMap(({ recovery_id }) => recovery_id ?? []);
      expect(await ids('--org', other)).to.deep.equal([recoveryOf({ org: other, ref: 'two' })]);
      const four = recoveryOf({ org: acme, ref: 'four' });
      expect(await ids('--from', '2026-11-11', '--to', '2026-11-12')).to.deep.equal([four]);
      expect(await ids('--from', '2026-12-01')).to.deep.equal([]);
    });

    it('leaves the log as it is', async () => {
      const head = await store.head();
      await dryRun();
      expect(await store.head()).to.equal(head);
    });
  });
});
