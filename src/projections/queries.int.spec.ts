import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { numbered, recorded } from '../../test/support/projectionSpec.js';
import { explaining, fill } from '../../test/support/readModels.js';
import { recoveryHistories } from '../../test/support/recoveryHistories.js';
import type { Db } from '../kernel/db.js';
import { orgIdOf, userIdOf } from '../kernel/ids.js';
import { attemptsSummary, funnel, recoveryRate, revenueRecovered, trend } from './analytics/queries.js';
import { analytics } from './analytics/projection.js';
import { getOrganization } from './organizations/queries.js';
import { organizations } from './organizations/projection.js';
import { getPayment, listPayments } from './payments/queries.js';
import { type PaymentRow, payments } from './payments/projection.js';
import { type Page, type PageArgs } from './read.js';
import { getRecovery, listRecoveries } from './recoveries/queries.js';
import { recoveries } from './recoveries/projection.js';
import type { RecoveryRow } from './recoveries/row.js';
import { getActivePolicy, listPolicyVersions } from './retryPolicies/queries.js';
import { retryPolicies } from './retryPolicies/projection.js';
import { rules } from './rules/projection.js';
import { listRules } from './rules/queries.js';
import { getUser, listUsers } from './users/queries.js';
import { users } from './users/projection.js';
import { aRule, ruleId } from '../../test/support/ruleSamples.js';

const [ORG, OTHER] = [orgIdOf('org-1'), orgIdOf('org-2')];
const NOBODY = orgIdOf('nobody');
const at = '2026-03-01T10:00:00.000Z';
const meta = { org_id: ORG as string, occurred_at: at };
const policy = {
  max_retries: 3,
  initial_delay_minutes: 60,
  backoff_multiplier: 1.5,
  max_delay_minutes: 1_440,
};

const people = numbered([
  recorded(
    `organization-${ORG}`,
    'OrganizationRegistered',
    { name: 'One', slug: 'org-1', founder_id: ORG, registered_at: at },
    meta,
  ),
  ...[1, 2, 3, 4, 5].map((version) =>
    recorded(
      `organization-${ORG}`,
      'RetryPolicySet',
      { version, ...policy, enabled_channels: ['email'], set_at: at },
      meta,
    ),
  ),
  ...Array.from({ length: 300 }, (_, n) => {
    const org_id = n % 10 === 0 ? ORG : orgIdOf(`other-${n % 10}`);
    const email = `u${n}@example.com`;
    const registered = { org_id, email, role: 'user', credential_id: ORG, registered_at: at };
    const stream = `user-${userIdOf(email, Buffer.alloc(32))}`;
    return recorded(stream, 'UserRegistered', registered, { ...meta, org_id });
  }),
]);

/** Thirty organizations of a hundred rules; those of ORG come in the opposite order. */
const ruled = numbered(
  Array.from({ length: 30 }, (_, n) => (n === 0 ? ORG : orgIdOf(`ruled-${n}`))).flatMap((org_id, n) => [
    ...Array.from({ length: 100 }, (_, position) => {
      const data = { version: position + 1, rule: aRule(n * 100 + position), position };
      return recorded(`rules-${org_id}`, 'RuleAdded', data, { ...meta, org_id });
    }),
    recorded(
      `rules-${org_id}`,
      'RulesReordered',
      { version: 101, rule_ids: Array.from({ length: 100 }, (_, index) => ruleId(n * 100 + 99 - index)) },
      { ...meta, org_id },
    ),
  ]),
);

/** Every row, page by page. */
const walk = async <R>(
  list: (db: Db, args: PageArgs) => Promise<Page<R>>,
  db: Db,
  limit: number,
): Promise<R[]> => {
  const all: R[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(db, { orgId: ORG, limit, cursor });
    expect(page.rows.length).to.be.at.most(limit);
    all.push(...page.rows);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return all;
};

const newestFirst = <R extends { key: string }>(rows: readonly R[], column: keyof R): R[] =>
  [...rows].sort((a, b) => {
    const [left, right] = [`${String(a[column])} ${a.key}`, `${String(b[column])} ${b.key}`];
    return left < right ? 1 : -1;
  });

describe('queries of read models', () => {
  let database: TestDatabase;
  let db: Db;
  let paid: PaymentRow[];
  let open: RecoveryRow[];

  before(async function () {
    this.timeout(60_000);
    database = await createTestDatabase({ migrated: false });
    db = database.pool;
    const log = recoveryHistories({ seed: 5, recoveries: 3_000, organizations: 10 });
    for (const projection of [organizations, users, retryPolicies]) await fill(db, projection, people);
    await fill(db, rules, ruled);
    paid = (await fill(db, payments, log)) as unknown as PaymentRow[];
    open = (await fill(db, recoveries, log)) as unknown as RecoveryRow[];
    await fill(db, analytics, log);
  });
  after(() => database.drop());

  it('give back rows as the fold made them', async () => {
    for (const row of open.slice(0, 50))
      expect(await getRecovery(db, { orgId: row.org_id, id: row.key })).to.deep.equal(row);
    for (const row of paid.slice(0, 50))
      expect(await getPayment(db, { orgId: row.org_id, id: row.key })).to.deep.equal(row);
    expect(await getOrganization(db, { orgId: ORG })).to.include({ slug: 'org-1' });
  });

  it('never show the row of another organization', async () => {
    const theirs = open.find((row) => row.org_id === OTHER);
    expect(await getRecovery(db, { orgId: ORG, id: theirs?.key ?? '' })).to.equal(undefined);
    expect(await getPayment(db, { orgId: ORG, id: theirs?.payment_id ?? '' })).to.equal(undefined);
    const user = (await listUsers(db, { orgId: ORG, limit: 1 })).rows[0];
    expect(await getUser(db, { orgId: OTHER, id: user?.key ?? '' })).to.equal(undefined);
    expect(await getOrganization(db, { orgId: NOBODY })).to.equal(undefined);
    for (const list of [listPayments, listRecoveries, listUsers, listPolicyVersions])
      expect(await list(db, { orgId: NOBODY, limit: 10 })).to.deep.equal({ rows: [], nextCursor: null });
    const period = { orgId: NOBODY, from: '2026-01-01', to: '2026-12-31' };
    for (const query of [recoveryRate, revenueRecovered, attemptsSummary, funnel, trend])
      expect((await query(db, period)).currencies).to.deep.equal([]);
  });

  for (const limit of [1, 7, 200])
    it(`page through everything, newest first, ${limit} at a time`, async () => {
      const mine = newestFirst(
        open.filter((row) => row.org_id === ORG),
        'opened_at',
      );
      expect(await walk(listRecoveries, db, limit)).to.deep.equal(mine);
      const ours = newestFirst(
        paid.filter((row) => row.org_id === ORG),
        'created_at',
      );
      expect(await walk(listPayments, db, limit)).to.deep.equal(ours);
      expect(new Set((await walk(listUsers, db, limit)).map(({ key }) => key)).size).to.equal(30);
    });

  it('filter by status, time and reference', async () => {
    const [from, to] = ['2026-02-05T00:00:00.000Z', '2026-02-15T00:00:00.000Z'];
    const page = await listRecoveries(db, { orgId: ORG, limit: 200, status: 'active', from, to });
    const wanted = open.filter(
      (row) => row.org_id === ORG && row.status === 'active' && row.opened_at >= from && row.opened_at < to,
    );
    expect(page.rows).to.deep.equal(newestFirst(wanted, 'opened_at')).and.not.to.deep.equal([]);
    const some = paid.find((row) => row.org_id === ORG);
    const { rows } = await listPayments(db, { orgId: ORG, limit: 10, transactionRef: some?.transaction_ref });
    expect(rows).to.deep.equal([some]);
  });

  it('filter by whether there is a matter for the merchant', async () => {
    const mine = newestFirst(
      open.filter((row) => row.org_id === ORG),
      'opened_at',
    );
    for (const escalated of [true, false]) {
      const page = await listRecoveries(db, { orgId: ORG, limit: 200, escalated });
      const wanted = mine.filter((row) => row.escalations.length > 0 === escalated);
      expect(page.rows).to.deep.equal(wanted.slice(0, 200)).and.not.to.deep.equal([]);
    }
  });

  it('refuse a cursor that no list gave out', async () => {
    const forged = [['yesterday', ORG], [at, 'x'], [at], 'text', ['2026-99-01T10:00:00.000Z', ORG], null].map(
      (value) => Buffer.from(JSON.stringify(value)).toString('base64url'),
    );
    for (const cursor of ['', '%', ...forged]) {
      const refusal = await listPayments(db, { orgId: ORG, limit: 1, cursor }).catch(
        (error: unknown) => error,
      );
      expect(refusal, cursor).to.have.property('code', 'validation_failed');
    }
  });

  it('tell the active policy and its history', async () => {
    expect((await getActivePolicy(db, { orgId: ORG }))?.policy).to.include({
      version: 5,
      backoff_multiplier: 1.5,
    });
    expect(await getActivePolicy(db, { orgId: OTHER })).to.equal(undefined);
    const versions = await walk(listPolicyVersions, db, 2);
    expect(versions.map(({ version }) => version)).to.deep.equal([5, 4, 3, 2, 1]);
  });

  it('list the rules of one organization, in their order', async () => {
    const { version, rules: listed } = await listRules(db, { orgId: ORG });
    expect(version).to.equal(101);
    expect(listed).to.deep.equal(Array.from({ length: 100 }, (_, index) => aRule(99 - index)));
    expect(await listRules(db, { orgId: NOBODY })).to.deep.equal({ version: 0, rules: [] });
  });

  describe('plans', () => {
    const range = { from: '2026-02-05T00:00:00.000Z', to: '2026-02-15T00:00:00.000Z' };
    const cursor = Buffer.from(JSON.stringify([at, ORG])).toString('base64url');
    const args = { orgId: ORG, limit: 5 };
    const statements: Readonly<Record<string, (db: Db) => Promise<unknown>>> = {
      payments: (on) => listPayments(on, args),
      'payments after a cursor': (on) => listPayments(on, { ...args, cursor }),
      'payments by status': (on) => listPayments(on, { ...args, status: 'failed' }),
      'payments of a time': (on) => listPayments(on, { ...args, ...range }),
      recoveries: (on) => listRecoveries(on, args),
      'recoveries after a cursor': (on) => listRecoveries(on, { ...args, cursor }),
      'recoveries by status': (on) => listRecoveries(on, { ...args, status: 'active' }),
      'recoveries with a matter for the merchant': (on) => listRecoveries(on, { ...args, escalated: true }),
      'recoveries of a time': (on) => listRecoveries(on, { ...args, ...range }),
      users: (on) => listUsers(on, args),
    };
    for (const [name, statement] of Object.entries(statements))
      it(`${name}: read from an index in its order`, async () => {
        const { db: explainer, plans } = explaining(db);
        await statement(explainer);
        expect(plans).to.have.length(1);
        expect(plans[0])
          .to.match(/Index Scan/)
          .and.not.match(/Seq Scan|Sort/);
      });

    it('rules: found by the organization', async () => {
      const { db: explainer, plans } = explaining(db);
      await listRules(explainer, { orgId: ORG });
      expect(plans[0])
        .to.match(/Index Scan/)
        .and.not.match(/Seq Scan/);
    });

    it('one reference or one id: found by an index', async () => {
      const { db: explainer, plans } = explaining(db);
      await listPayments(explainer, { ...args, transactionRef: 'order-5-1' });
      await listRecoveries(explainer, { ...args, transactionRef: 'order-5-1' });
      await getRecovery(explainer, { orgId: ORG, id: ORG });
      for (const plan of plans)
        expect(plan)
          .to.match(/Index Scan/)
          .and.not.match(/Seq Scan/);
    });

    it('rollups: found by an index', async () => {
      const { db: explainer, plans } = explaining(db);
      await recoveryRate(explainer, { orgId: ORG, from: '2026-02-05', to: '2026-02-06', currency: 'EUR' });
      for (const plan of plans)
        expect(plan)
          .to.match(/Index/)
          .and.not.match(/Seq Scan/);
    });
  });

  describe('analytics', () => {
    const [from, to] = ['2026-02-01', '2026-02-28'];
    const args = { orgId: ORG as string, from, to };
    const cohort = (currency: string) =>
      open.filter(
        (row) =>
          row.org_id === ORG &&
          row.currency === currency &&
          row.opened_at.slice(0, 10) >= from &&
          row.opened_at.slice(0, 10) <= to,
      );
    const sum = (rows: readonly RecoveryRow[], field: 'amount' | 'recovered_amount') => ({
      count: rows.length,
      amount: rows.reduce((total, row) => total + (row[field] ?? 0), 0),
    });

    it('tell the recovery rate over all that was opened, per currency', async () => {
      const { currencies } = await recoveryRate(db, args);
      expect(currencies.map(({ currency }) => currency)).to.deep.equal(['EUR', 'INR', 'USD']);
      for (const told of currencies) {
        const rows = cohort(told.currency);
        const by = (...statuses: string[]) => rows.filter(({ status }) => statuses.includes(status));
        expect(told.opened).to.deep.equal(sum(rows, 'amount'));
        expect(told.recovered).to.deep.equal(sum(by('succeeded'), 'recovered_amount'));
        expect(told.lost).to.deep.equal(sum(by('exhausted', 'expired'), 'amount'));
        expect(told.cancelled).to.deep.equal(sum(by('cancelled'), 'amount'));
        expect(told.open).to.deep.equal(sum(by('active'), 'amount'));
        expect(told.rate_by_count).to.be.closeTo(by('succeeded').length / rows.length, 0.0001);
        const link = by('succeeded').filter(({ source }) => source === 'link');
        expect(told.by_source.link).to.deep.equal(sum(link, 'recovered_amount'));
        expect(told.by_month.map(({ month }) => month)).to.deep.equal(['2026-02']);
        expect(told.within_days.map(({ days }) => days)).to.deep.equal([10, 30, 60]);
      }
    });

    it('tell one currency alone', async () => {
      const { currencies } = await recoveryRate(db, { ...args, currency: 'EUR' });
      expect(currencies.map(({ currency }) => currency)).to.deep.equal(['EUR']);
    });

    it('tell revenue by the day it came in', async () => {
      const { currencies } = await revenueRecovered(db, { ...args, currency: 'EUR' });
      const came = open.filter(
        ({ org_id, currency, status, closed_at }) =>
          org_id === ORG &&
          currency === 'EUR' &&
          status === 'succeeded' &&
          (closed_at ?? '').slice(0, 10) >= from &&
          (closed_at ?? '').slice(0, 10) <= to,
      );
      const [told] = currencies;
      expect(told?.total).to.deep.equal(sum(came, 'recovered_amount'));
      expect(told?.by_day.reduce((total, { amount }) => total + amount, 0)).to.equal(told?.total.amount);
    });

    it('tell attempts with their declines by category', async () => {
      const { currencies } = await attemptsSummary(db, args);
      for (const told of currencies) {
        const declined = Object.values(told.declines_by_category).reduce((total, n) => total + n, 0);
        expect(declined).to.equal(told.declined);
        expect(told.success_rate).to.be.closeTo(told.succeeded / (told.succeeded + told.declined), 0.0001);
      }
      expect(currencies[0]?.started).to.be.greaterThan(0);
    });

    it('tell the funnel of the cohort', async () => {
      const { currencies } = await funnel(db, { ...args, currency: 'USD' });
      const rows = cohort('USD');
      const counts = Object.fromEntries(currencies[0]?.steps.map(({ step, count }) => [step, count]) ?? []);
      expect(counts).to.deep.equal({
        opened: rows.length,
        attempted: rows.filter(({ attempts }) => attempts.some(({ started_at }) => started_at !== null))
          .length,
        notified: rows.filter(({ notifications }) => notifications.some(({ status }) => status === 'sent'))
          .length,
        link_opened: rows.filter(({ link_opened_at }) => link_opened_at !== null).length,
        checkout_opened: rows.filter(({ checkouts }) => checkouts > 0).length,
        recovered: rows.filter(({ status }) => status === 'succeeded').length,
      });
    });

    it('tell the trend day by day', async () => {
      const { currencies } = await trend(db, { ...args, currency: 'EUR' });
      const points = currencies[0]?.points ?? [];
      const days = points.map(({ day }) => day);
      expect(days).to.deep.equal([...days].sort());
      expect(points.reduce((total, { opened }) => total + opened.count, 0)).to.equal(cohort('EUR').length);
    });
  });
});
