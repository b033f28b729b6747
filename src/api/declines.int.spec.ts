import { expect } from 'chai';
import { startApi, type TestApi } from '../../test/support/api.js';
import { flatten } from '../../test/support/eventSamples.js';
import { paymentStream } from '../events/payment.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
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
  const store = new MemoryEventStore();
  let api: TestApi;
  before(async () => {
    api = await startApi({ store, clock: { now: () => new Date('2026-12-01T10:00:00.000Z') } });
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
    ['on=9999-12-31&code=card_decline_rate_limit_exceeded', '/query/on'],
    ['on=1999-12-31', '/query/on'],
    ['code=4242424242424242', '/query/code'],
    ['message=card+4242+4242+4242+4242', '/query/message'],
  ];
  for (const [query, pointer] of refused)
    it(`refuses ${query.slice(0, 20)}`, async () => {
      const { status, body } = await api.call<{ errors: { pointer: string }[] }>(
        `/v1/declines/classify?${query}`,
        { token: 'user.acme' },
      );
      expect(status).to.be.oneOf([400, 422]);
      expect(body.errors.map((each) => each.pointer)).to.include(pointer);
      expect(JSON.stringify(body)).to.not.match(/4242.?4242/);
    });

  it('says how a + is written where the offset lost it', async () => {
    const { status, body } = await api.call<{ errors: object[] }>(
      '/v1/declines/classify?on=2027-01-01T00:00:00+02:00',
      { token: 'user.acme' },
    );
    expect(status).to.equal(422);
    const detail = 'has a blank before its offset: write + as %2B in a query';
    expect(body.errors).to.deep.equal([{ pointer: '/query/on', detail }]);
  });

  it('tells truly what advice alone means', async () => {
    const { body } = await ask('advice_code=do_not_try_again');
    expect([body.category, body.retry]).to.deep.equal(['unknown', 'never']);
    expect(body.meaning).to.contain('forbids another attempt');
  });

  it('is told what a reported failure says: source and step are kept with it', async () => {
    const failure = {
      code: 'BAD_REQUEST_ERROR',
      decline_code: 'payment_risk_check_failed',
      source: 'issuer_bank',
      step: 'payment_authorization',
    };
    const json = {
      transaction_ref: 'order-1',
      amount: 1999,
      currency: 'INR',
      customer: { email: 'ada@example.com' },
      gateway: 'razorpay',
      failure,
    };
    const { status, body } = await api.call<{ payment_id: string }>('/v1/events/payment_failed', {
      json,
      token: 'user.acme',
    });
    expect(status).to.equal(202);
    const [failed] = await flatten(store.readStream(paymentStream(body.payment_id)));
    expect(failed?.data).to.deep.include({ failure });
    const { body: seen } = await ask(new URLSearchParams(failure).toString());
    expect(seen.category).to.equal('issuer_risk');
    expect(seen.evidence).to.not.have.property('unmapped');
  });

  it('wants a login', async () => expect((await api.call('/v1/declines/classify')).status).to.equal(401));
});
