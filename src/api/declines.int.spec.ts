import { expect } from 'chai';
import { startApi, type TestApi } from '../../test/support/api.js';
import { roles } from '../kernel/principal.js';

interface Classified {
  readonly category: string;
  readonly retry: string;
  readonly earliest_at: string | null;
  readonly meaning: string;
  readonly evidence: { readonly unmapped?: readonly string[] };
  readonly table: object;
}

describe('GET /v1/declines/classify', () => {
  let api: TestApi;
  before(async () => {
    api = await startApi({ clock: { now: () => new Date('2026-12-01T10:00:00.000Z') } });
  });
  after(() => api.close());

  const ask = (query: string, token = 'viewer.acme') =>
    api.call<Classified>(`/v1/declines/classify?${query}`, { token });

  it('tells every role what a failure means, by which tables and why', async () => {
    for (const role of roles) {
      const { status, body } = await ask('network_code=41&card_brand=Visa&code=flux', `${role}.acme`);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({
        category: 'lost_stolen_fraud',
        hardness: 'hard',
        retry: 'never',
        earliest_at: null,
        meaning: 'The bank has blocked this card for good; it must not be charged again.',
        evidence: {
          step: 'network_code',
          value: '41',
          table_version: '2026-11-29',
          raw: { code: 'flux', network_code: '41', card_brand: 'Visa' },
          unmapped: ['code:flux'],
        },
        table: { version: '2026-11-29', effective_from: '2026-11-29T00:00:00.000Z' },
      });
    }
  });

  it('counts a wait from now, or from the day asked for, by the tables of that day', async () => {
    const frozen = 'code=card_decline_rate_limit_exceeded';
    expect((await ask(frozen)).body.earliest_at).to.equal('2026-12-02T10:00:00.000Z');
    const later = await ask(`${frozen}&on=2027-01-01T00:00:00%2B01:00`);
    expect(later.body.earliest_at).to.equal('2027-01-01T23:00:00.000Z');
    const { body } = await ask(`${frozen}&on=2026-11-28`);
    expect(body.earliest_at).to.equal(null);
    expect(body.table).to.deep.equal({ version: '2026-11-24', effective_from: '2026-11-24T00:00:00.000Z' });
  });

  it('takes Razorpay’s source and step, the message last, and nothing at all', async () => {
    const risk = async (source: string) =>
      (await ask(`decline_code=payment_risk_check_failed&source=${source}`)).body.category;
    expect([await risk('issuer_bank'), await risk('business')]).to.deep.equal(['issuer_risk', 'psp_blocked']);
    expect((await ask('message=insufficient+funds')).body.category).to.equal('insufficient_funds');
    expect((await ask('message=insufficient&code=expired_card')).body.category).to.equal('card_data_invalid');
    expect((await ask('')).body.category).to.equal('unknown');
  });

  const refused: readonly [string, string][] = [
    ['brand=visa', '/query/brand'],
    ['code=a&code=b', '/query/code'],
    ['code=', '/query/code'],
    [`code=${'x'.repeat(101)}`, '/query/code'],
    ['on=soon', '/query/on'],
    ['on=2026-02-30', '/query/on'],
  ];
  for (const [query, pointer] of refused)
    it(`refuses ${query.slice(0, 20)}`, async () => {
      const { status, body } = await api.call<{ errors: { pointer: string }[] }>(
        `/v1/declines/classify?${query}`,
        { token: 'user.acme' },
      );
      expect(status).to.be.oneOf([400, 422]);
      expect(body.errors.map((each) => each.pointer)).to.include(pointer);
    });

  it('wants a login', async () => expect((await api.call('/v1/declines/classify')).status).to.equal(401));
});
