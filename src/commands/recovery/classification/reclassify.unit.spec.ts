import { expect } from 'chai';
import { type FailedPayment, recoveryOf, storeOf } from '../../../../test/support/declines/history.js';
import { orgIdOf } from '../../../kernel/ids.js';
import { compileTables, type Tables } from './compileTables.js';
import { type Change, reclassify, type ReclassifyOptions } from './reclassify.js';
import { tablesOfVersion } from './tables.js';

const [acme, other] = [orgIdOf('acme'), orgIdOf('other')];
const BEFORE = '2026-11-10T10:00:00.000Z';
const versioned = (version: string): Tables => tablesOfVersion(version) ?? expect.fail(version);
const [old, perNetwork] = [versioned('2026-11-24'), versioned('2026-11-29')];

const run = async (
  payments: readonly FailedPayment[],
  tables: Tables,
  options: Partial<ReclassifyOptions> = {},
): Promise<{ failures: number; changes: readonly Change[] }> => {
  const store = await storeOf(payments);
  const all = { failures: 0, changes: [] as Change[] };
  const range = { after: 0n, until: await store.head() };
  for await (const page of reclassify(store, tables, { ...range, pageSize: 2, ...options })) {
    all.failures += page.failures;
    all.changes.push(...page.changes);
  }
  return all;
};

const payment = (
  ref: string,
  failures: FailedPayment['failures'],
  rest: Partial<FailedPayment> = {},
): FailedPayment => ({
  org: acme,
  ref,
  at: BEFORE,
  failures,
  ...rest,
});

describe('reclassify', () => {
  const visaRisk = { network_code: '83', card_brand: 'visa' };
  const funds = { decline_code: 'insufficient_funds' };

  it('finds where a recovery would have parted, with the debt and both readings', async () => {
    const one = payment('one', [visaRisk], { amount: 4_200, currency: 'USD' });
    const { failures, changes } = await run([one, payment('two', [funds])], perNetwork);
    expect(failures).to.equal(2);
    expect(changes).to.deep.equal([
      {
        recovery_id: recoveryOf(one),
        org_id: acme,
        event: 'RecoveryStarted',
        occurred_at: BEFORE,
        amount: 4_200,
        currency: 'USD',
        before: { category: 'unknown', retry: 'allowed', table_version: '2026-11-24' },
        after: { category: 'issuer_risk', retry: 'allowed', table_version: '2026-11-29' },
        evidence: { before: 'none', after: 'network_code 83' },
      },
    ]);
  });

  it('changes nothing under the tables that were in force', async () => {
    const payments = [
      payment('one', [visaRisk, funds]),
      payment('two', [{ message: 'lost' }, { code: 'zz' }]),
    ];
    expect(await run(payments, old)).to.deep.equal({ failures: 4, changes: [] });
  });

  it('tells of a recovery once, at its first difference, also where a page ends between them', async () => {
    const one = payment('one', [funds, visaRisk, visaRisk, { network_code: '44' }], { declined: true });
    const { failures, changes } = await run([one], perNetwork);
    expect(failures).to.equal(4);
    expect(changes.map(({ event, evidence }) => [event, evidence.after])).to.deep.equal([
      ['FurtherFailureRecorded', 'network_code 83'],
    ]);
  });

  it('reads the answer to a retry of ours, and a permission alone', async () => {
    const single = { advice_code: '41', card_brand: 'mc' };
    const { changes } = await run([payment('one', [funds, single], { declined: true })], perNetwork);
    expect(changes.map(({ event, before, after }) => [event, before.retry, after.retry])).to.deep.equal([
      ['RetryDeclined', 'after_change', 'never'],
    ]);
  });

  it('reads a waiting time alone', async () => {
    const frozen = { code: 'card_decline_rate_limit_exceeded' };
    const payments = [payment('one', [frozen]), payment('two', [{ advice_code: '25' }])];
    const { changes } = await run(payments, perNetwork);
    expect(changes.map(({ before, after }) => [before, after])).to.deep.equal([
      [
        { category: 'velocity_limit', retry: 'allowed', table_version: '2026-11-24' },
        { category: 'velocity_limit', retry: 'allowed', wait_minutes: 1_440, table_version: '2026-11-29' },
      ],
    ]);
    expect((await run(payments, old)).changes).to.deep.equal([]);
  });

  it('finds the message, which is kept with the payment, for each kind of failure', async () => {
    const messages = { source: 'own', patterns: [{ pattern: 'BLOCKED', category: 'psp_blocked' }] };
    const tables = compileTables({ ...perNetwork.file, version: 'v2', messages });
    const blocked = { message: 'it is blocked' };
    const payments = [
      payment('one', [blocked]),
      payment('two', [funds, blocked]),
      payment('three', [funds, blocked], { declined: true }),
      payment('four', [{ ...blocked, ...funds }]),
    ];
    const { changes } = await run(payments, tables);
    expect(changes.map(({ event, after }) => `${event} ${after.category}`)).to.have.members([
      'RecoveryStarted psp_blocked',
      'FurtherFailureRecorded psp_blocked',
      'RetryDeclined psp_blocked',
    ]);
  });

  it('looks at one organization, and at a part of the log', async () => {
    const payments = [
      payment('one', [visaRisk, visaRisk]),
      payment('one', [visaRisk], { org: other, at: '2026-11-12T10:00:00.000Z' }),
    ];
    const orgs = (changes: readonly Change[]) => changes.map(({ org_id }) => org_id);
    expect(orgs((await run(payments, perNetwork, { orgId: other })).changes)).to.deep.equal([other]);
    const late = await run(payments, perNetwork, { after: 2n });
    expect(late.changes.map(({ event, org_id }) => `${event} ${org_id}`)).to.deep.equal([
      `FurtherFailureRecorded ${acme}`,
      `RecoveryStarted ${other}`,
    ]);
    expect(await run(payments, perNetwork, { after: 6n })).to.deep.equal({ failures: 0, changes: [] });
  });
});
