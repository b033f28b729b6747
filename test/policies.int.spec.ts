import { expect } from 'chai';
import { builtInPolicy } from '../src/commands/organization/builtInPolicy.js';
import type { FieldError } from '../src/kernel/errors.js';
import type { Answer } from './support/api.js';
import { type PgApi, startPgApi } from './support/pgApi.js';

type Policy = Record<string, unknown> & { readonly version: number };
interface Problem {
  readonly code: string;
  readonly errors?: readonly FieldError[];
}

const path = '/v1/retry/policies/active';
const plain = {
  max_retries: 5,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 600,
  enabled_channels: ['email'],
};
const finer = {
  ...plain,
  categories: {
    insufficient_funds: { max_retries: 3, waits_minutes: [4_320, 7_200] },
    revoked: { max_retries: 0 },
  },
  max_days: 21,
  preferred_hours: { from: 9, to: 18 },
  quiet_hours: { from: 21, to: 8 },
  payday_days: [1, 15],
  timezone: 'Europe/Berlin',
  psp_retries: 'take_over',
};

describe('retry policies over HTTP', () => {
  let api: PgApi;
  let token: string;
  before(async () => {
    api = await startPgApi();
  });
  after(() => api.close());
  beforeEach(async () => {
    ({ token } = await api.founder());
  });
  const put = (json: object, headers = {}) =>
    api.call<Policy & Problem>(path, { method: 'PUT', token, json, headers });
  const get = async (after?: Answer<unknown>) => {
    const position = after?.headers.get('x-event-position');
    const headers = position ? { 'x-min-position': position } : {};
    return (await api.call<Policy>(path, { token, headers })).body;
  };
  const faultsOf = async (over: object): Promise<readonly FieldError[]> => {
    const { status, body } = await put({ ...plain, ...over });
    expect([status, body.code]).to.deep.equal([422, 'validation_failed']);
    return body.errors ?? [];
  };
  const pointersOf = async (over: object) => (await faultsOf(over)).map(({ pointer }) => pointer);

  it('are the built-in one at first', async () => {
    expect(await get()).to.deep.equal({ ...builtInPolicy, set_at: null });
  });

  it('take every finer wish, keep it, and count versions', async () => {
    const set = await put(finer);
    expect(set.status, set.text).to.equal(200);
    expect(await get(set)).to.deep.equal({ ...finer, version: 1, set_at: set.body['set_at'] });
    expect((await put(finer)).body.version, 'the same again').to.equal(1);
    const fewer = await put(plain);
    expect(await get(fewer), 'what is left out is gone').to.deep.equal({
      ...plain,
      version: 2,
      set_at: fewer.body['set_at'],
    });
  });

  it('are refused where they contradict themselves, with the place and what is allowed', async () => {
    expect(await faultsOf({ max_delay_minutes: 59 })).to.deep.equal([
      { pointer: '/max_delay_minutes', detail: 'must be at least 60, the initial_delay_minutes' },
    ]);
    const hour = { from: 9, to: 9 };
    expect(await pointersOf({ preferred_hours: hour })).to.deep.equal(['/preferred_hours/to']);
    expect(await faultsOf({ quiet_hours: hour })).to.deep.equal([
      {
        pointer: '/quiet_hours/to',
        detail: 'must differ from `from`: one hour to itself is no period; leave it out to mail at any hour',
      },
    ]);
    expect(await faultsOf({ categories: { network_error: { max_retries: 6 } } })).to.deep.equal([
      {
        pointer: '/categories/network_error/max_retries',
        detail: 'must be at most 5, the max_retries of all categories',
      },
    ]);
    expect(await get()).to.include({ version: 0 });
  });

  it('are refused where they want what no policy can give', async () => {
    const categories = {
      lost_stolen_fraud: { max_retries: 1 },
      revoked: { waits_minutes: [60] },
      expired: { max_retries: 1 },
    };
    expect(await pointersOf({ categories })).to.deep.equal(['/categories/expired']);
    const { expired: _, ...known } = categories;
    expect(await pointersOf({ categories: known })).to.deep.equal([
      '/categories/lost_stolen_fraud/max_retries',
      '/categories/revoked/waits_minutes',
    ]);
    const [changed] = await faultsOf({ categories: { card_data_invalid: { max_retries: 2 } } });
    expect(changed?.detail).to.equal(
      'must be 0 or left out: the same method cannot succeed before something changes',
    );
  });

  it('are refused outside their bounds', async () => {
    for (const [over, pointer] of [
      [{ max_retries: 11 }, '/max_retries'],
      [{ max_days: 0 }, '/max_days'],
      [{ quiet_hours: { from: 21 } }, '/quiet_hours/to'],
      [{ preferred_hours: { from: 24, to: 3 } }, '/preferred_hours/from'],
      [{ payday_days: [15, 15] }, '/payday_days'],
      [{ payday_days: [0] }, '/payday_days/0'],
      [{ timezone: 'Mars/Olympus' }, '/timezone'],
      [{ psp_retries: 'both' }, '/psp_retries'],
      [{ categories: { unknown: { waits_minutes: [] } } }, '/categories/unknown/waits_minutes'],
    ] as const)
      expect(await pointersOf(over), pointer).to.deep.equal([pointer]);
  });

  it('are not set from a version that is not the newest any more', async () => {
    expect((await put(plain, { 'if-match': '"0"' })).body.version).to.equal(1);
    const stale = await put(finer, { 'if-match': '"0"' });
    expect([stale.status, stale.body.code]).to.deep.equal([412, 'version_mismatch']);
    const odd = await put(finer, { 'if-match': 'yesterday' });
    expect(odd.body.errors?.[0]?.pointer).to.equal('/header/if-match');
    expect((await put(finer, { 'if-match': '"1"' })).body.version).to.equal(2);
  });

  it("are one organization's own", async () => {
    await put(finer);
    token = (await api.founder()).token;
    expect(await get()).to.include({ version: 0 });
  });

  it('decide what comes next, within what the networks allow', async () => {
    await put({ ...finer, max_retries: 10 });
    const simulate = (over: object) =>
      api.call<{
        readonly policy_version: number;
        readonly retry: { readonly at: string; readonly explanation: { readonly because: string[] } } | null;
        readonly mail: { readonly explanation: { readonly rejected: readonly { reason: string }[] } } | null;
      }>('/v1/rules/simulate', {
        token,
        json: {
          amount: 4_900,
          currency: 'EUR',
          gateway: 'sandbox',
          failure: { decline_code: 'processing_error' },
          now: '2026-12-01T20:30:00Z',
          ...over,
        },
      });
    const broke = await simulate({ failure: { decline_code: 'insufficient_funds' } });
    expect(broke.body.policy_version).to.equal(1);
    expect(broke.body.retry?.explanation.because).to.satisfy(
      ([waits, hours, ...others]: string[]) =>
        waits?.includes('3 days') && hours?.includes('from 9 to 18') && others.length === 0,
    );
    expect((await simulate({ attempt: 8 })).body.retry, 'the eighth').not.to.equal(null);
    const ninth = (await simulate({ attempt: 9 })).body;
    expect(ninth.retry).to.equal(null);
    expect(ninth.mail?.explanation.rejected.map(({ reason }) => reason)).to.deep.equal([
      'no payment is tried more than 8 times',
    ]);
  });
});
