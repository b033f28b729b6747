import { expect } from 'chai';
import { type Answer, startApi, type TestApi } from '../../test/support/api.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import type { Position } from '../events/envelope.js';

const failure = (change: object = {}): Record<string, unknown> => ({
  transaction_ref: 'order-1',
  amount: 1999,
  currency: 'EUR',
  customer: { email: 'ada@example.com', name: 'Ada', timezone: 'Europe/Berlin' },
  gateway: 'sandbox',
  failure: { decline_code: 'insufficient_funds' },
  ...change,
});

interface Problem {
  code: string;
  status: number;
  request_id: string;
  errors?: { pointer: string; detail: string }[];
}
const expectProblem = (answer: Answer, status: number, code: string): Problem => {
  expect(answer.status, answer.text).to.equal(status);
  expect(answer.headers.get('content-type')).to.equal('application/problem+json; charset=utf-8');
  const problem = answer.body as unknown as Problem;
  expect(problem).to.include({ code, status, request_id: answer.headers.get('x-request-id') });
  expect(problem).to.include.keys('type', 'title', 'detail');
  return problem;
};

describe('HTTP interface', () => {
  let api: TestApi;
  let store: MemoryEventStore;
  let reached = true;
  const asked: [string, Position][] = [];
  beforeEach(async () => {
    reached = true;
    asked.length = 0;
    store = new MemoryEventStore();
    api = await startApi({
      store,
      waitFor: (name, position) => {
        asked.push([name, position]);
        return Promise.resolve(reached);
      },
    });
  });
  afterEach(() => api.close());

  const report = (json: unknown, token = 'user.acme', headers: Record<string, string> = {}) =>
    api.call('/v1/events/payment_failed', { json, token, headers });

  describe('payment_failed', () => {
    it('takes a failure in, tells its position, and records it', async () => {
      const answer = await report(failure(), 'user.acme', { 'x-request-id': 'req-1' });
      expect(answer.status, answer.text).to.equal(202);
      expect(answer.body).to.have.all.keys('payment_id', 'recovery_id', 'event_id');
      expect(answer.headers.get('x-event-position')).to.equal('1');
      expect(answer.headers.get('x-request-id')).to.equal('req-1');
      const pages: unknown[] = [];
      for await (const page of store.readStream(`payment-${String(answer.body['payment_id'])}`))
        pages.push(...page);
      expect(pages).to.have.length(1);
      expect(pages[0]).to.have.nested.property('metadata.request_id', 'req-1');
      expect(pages[0]).to.have.nested.property('metadata.org_id', api.orgId);
      expect(pages[0]).to.have.property('id', answer.body['event_id']);
    });

    it('answers the same facts the same way, once recorded', async () => {
      const first = await report(failure());
      const again = await report(failure());
      expect(again.body).to.deep.equal(first.body);
      expect(await store.head()).to.equal(1n);
    });

    it("takes what the merchant knows of the PSP's own retries", async () => {
      const psp_retries = { next_at: '2026-12-01T10:00:00.000Z' };
      const { body } = await report(failure({ psp_retries }));
      for await (const [event] of store.readStream(`payment-${String(body['payment_id'])}`))
        expect(event?.data).to.deep.include({ psp_retries });
      const { errors } = expectProblem(
        await report(failure({ psp_retries: { next_at: 'soon' } })),
        422,
        'validation_failed',
      );
      expect(errors?.map(({ pointer }) => pointer)).to.deep.equal(['/psp_retries/next_at']);
    });

    it('takes the same failure for no other one, that now tells of retries of the PSP, or that they are over', async () => {
      const next = { next_at: '2026-12-01T10:00:00.000Z' };
      const known = failure({ occurred_at: '2026-11-20T10:00:00.000Z' });
      const first = await report(known);
      for (const psp_retries of [next, next, {}, {}])
        expect((await report({ ...known, psp_retries })).body).to.deep.equal(first.body);
      const told: unknown[] = [];
      for await (const page of store.readStream(`payment-${String(first.body['payment_id'])}`))
        told.push(...page.slice(1).map(({ type, data }) => ({ type, data })));
      const [type, transaction_ref] = ['PspRetriesAnnounced', 'order-1'];
      expect(told).to.deep.equal([next, {}].map((data) => ({ type, data: { transaction_ref, ...data } })));
    });

    it('keeps organizations apart', async () => {
      const ours = await report(failure());
      const theirs = await report(failure(), 'user.other');
      expect(theirs.body['payment_id']).not.to.equal(ours.body['payment_id']);
    });

    it('holds an Idempotency-Key to its first request', async () => {
      const key = { 'idempotency-key': 'key-1' };
      const first = await report(failure(), 'user.acme', key);
      const reordered = Object.fromEntries(Object.entries(failure()).reverse());
      expect((await report(reordered, 'user.acme', key)).body).to.deep.equal(first.body);
      expectProblem(await report(failure({ amount: 5 }), 'user.acme', key), 422, 'idempotency_key_reused');
      expect((await report(failure(), 'user.other', key)).status).to.equal(202);
      expectProblem(
        await report(failure(), 'user.acme', { 'idempotency-key': 'a b' }),
        422,
        'validation_failed',
      );
    });

    it('names every fault of the body', async () => {
      const { errors } = expectProblem(
        await report({ amount: 0, currency: 'eur', customer: { email: 'x', nick: 1 }, extra: 1 }),
        422,
        'validation_failed',
      );
      const pointers = (errors ?? []).map(({ pointer }) => pointer);
      expect(pointers).to.include.members([
        '/transaction_ref',
        '/gateway',
        '/failure',
        '/amount',
        '/currency',
        '/customer/email',
        '/customer/nick',
        '/extra',
      ]);
    });

    it('takes the segment of the customer and the country of the method, for rules to go by', async () => {
      const customer = { email: 'ada@example.com', segment: 'business' };
      const payment_method = { last4: '4242', country: 'DE' };
      const answer = await report(failure({ customer, payment_method }));
      const pages: unknown[] = [];
      for await (const page of store.readStream(`payment-${String(answer.body['payment_id'])}`))
        pages.push(...page);
      expect(pages[0]).to.have.nested.property('data.customer.segment', 'business');
      expect(pages[0]).to.have.nested.property('data.payment_method.country', 'DE');
      const wrong = { customer: { ...customer, segment: '' }, payment_method: { country: 'de' } };
      const { errors } = expectProblem(await report(failure(wrong)), 422, 'validation_failed');
      expect(errors?.map(({ pointer }) => pointer)).to.have.members([
        '/customer/segment',
        '/payment_method/country',
      ]);
    });

    it('refuses instants and time zones that do not exist', async () => {
      for (const occurred_at of [
        '2026-02-30T00:00:00Z',
        '2026-12-31T23:59:60Z',
        '0000-01-01T00:00:00Z',
        'now',
      ])
        expectProblem(await report(failure({ occurred_at })), 422, 'validation_failed');
      const customer = { email: 'ada@example.com', timezone: 'Mars/Olympus' };
      expectProblem(await report(failure({ customer })), 422, 'validation_failed');
    });

    it('refuses instants that no table holds or that cannot be meant, in facts and in queries', async () => {
      const impossible = [
        '0001-01-01T00:00:00+01:00',
        '9999-12-31T23:59:59-01:00',
        '9999-12-31T24:00:00Z',
        '2026-11-23T10:00:00+24:00',
      ];
      const tooEarly = '1999-12-31T23:59:59Z';
      const tooLate = new Date(Date.now() + 25 * 3_600_000).toISOString();
      for (const occurred_at of [...impossible, tooEarly, tooLate]) {
        const answer = await report(failure({ occurred_at }));
        const { errors } = expectProblem(answer, 422, 'validation_failed');
        expect(errors?.[0]?.pointer).to.equal('/occurred_at');
        const json = { transaction_ref: 'order-1', amount: 1999, currency: 'EUR', occurred_at };
        const success = await api.call('/v1/events/payment_succeeded', { json, token: 'user.acme' });
        expectProblem(success, 422, 'validation_failed');
      }
      for (const instant of impossible.map(encodeURIComponent))
        for (const query of ['payments?from', 'recoveries?to', 'audit/events?from', 'analytics/funnel?to']) {
          const answer = await api.call(`/v1/${query}=${instant}`, { token: 'admin.acme' });
          expectProblem(answer, 422, 'validation_failed');
        }
      expect(await store.head()).to.equal(0n);
    });

    it('tells when a fact happened beside when it was recorded', async () => {
      const occurred_at = '2026-01-02T03:04:05+01:00';
      const { body } = await report(failure({ occurred_at }));
      for await (const [event] of store.readStream(`payment-${String(body['payment_id'])}`)) {
        expect(event).to.have.nested.property('metadata.occurred_at', '2026-01-02T02:04:05.000Z');
        expect(event?.recorded_at).not.to.equal('2026-01-02T02:04:05.000Z');
      }
    });

    it('bounds metadata: keys as well as values', async () => {
      for (const metadata of [
        { ['k'.repeat(101)]: 'x' },
        { 'a\nb': 'v'.repeat(501) },
        { 'a\nb': 7 },
        { '': 'x' },
      ])
        expectProblem(await report(failure({ metadata })), 422, 'validation_failed');
      const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'x']));
      expectProblem(await report(failure({ metadata: many })), 422, 'validation_failed');
      expect((await report(failure({ metadata: { ['k'.repeat(100)]: 'v'.repeat(500) } }))).status).to.equal(
        202,
      );
    });

    it('refuses card numbers anywhere without repeating them', async () => {
      const card = '4111 1111-1111 1111';
      const bodies = [
        failure({ metadata: { note: `card ${card}` } }),
        failure({ metadata: { [card]: 'x' } }),
        failure({ nested: [{ deep: 4111111111111111 }] }),
      ];
      for (const body of bodies) {
        const answer = await report(body);
        const { errors } = expectProblem(answer, 422, 'validation_failed');
        expect(errors?.[0]?.pointer).to.match(/^\/(metadata|nested)/);
        expect(answer.text.replace(/[ -]/g, '')).not.to.contain('4111111111111111');
      }
    });
  });

  describe('payment_succeeded', () => {
    const succeed = (change: object = {}) =>
      api.call('/v1/events/payment_succeeded', {
        json: { transaction_ref: 'order-1', ...change },
        token: 'user.acme',
      });

    it('takes a success in and answers a second one, told otherwise, with the event that is there', async () => {
      const { body: failed } = await report(failure());
      const first = await succeed();
      expect(first.status, first.text).to.equal(202);
      expect(first.body['payment_id']).to.equal(failed['payment_id']);
      expect(first.headers.get('x-event-position')).to.equal('2');
      const again = await succeed({ amount: 1999, currency: 'EUR', occurred_at: '2026-01-01T00:00:00Z' });
      expect(again.status, again.text).to.equal(202);
      expect(again.body).to.deep.equal(first.body);
      const types: string[] = [];
      for await (const page of store.readStream(`payment-${String(failed['payment_id'])}`))
        types.push(...page.map(({ type }) => type));
      expect(types).to.deep.equal(['PaymentFailed', 'PaymentSucceeded']);
    });

    it('refuses another currency, half of an amount, and none for an unknown payment', async () => {
      expectProblem(await succeed(), 422, 'amount_required');
      await report(failure());
      expectProblem(await succeed({ amount: 1999, currency: 'USD' }), 409, 'amount_mismatch');
      expectProblem(await succeed({ currency: 'EUR' }), 422, 'amount_required');
      expect(await store.head()).to.equal(1n);
    });
  });

  describe('access', () => {
    it('wants a token', async () => {
      for (const headers of [{}, { authorization: 'Basic abc' }, { authorization: 'Bearer nonsense' }]) {
        const answer = await api.call('/v1/payments', { headers });
        expectProblem(answer, 401, 'invalid_token');
        expect(answer.headers.get('www-authenticate')).to.match(/^Bearer/);
      }
    });
    it('wants a role', async () => {
      expectProblem(await report(failure(), 'viewer.acme'), 403, 'forbidden');
      expectProblem(await api.call('/v1/users', { token: 'user.acme' }), 403, 'forbidden');
      expectProblem(await api.call('/v1/audit/events', { token: 'viewer.acme' }), 403, 'forbidden');
    });
    it('gives the past to those who examine only', async () => {
      const path = '/v1/recoveries/7c9e6679-7425-40de-944b-e07fc1f90ae7?as_of=2026-01-01T00:00:00Z';
      expectProblem(await api.call(path, { token: 'user.acme' }), 403, 'forbidden');
      expectProblem(await api.call(path, { token: 'auditor.acme' }), 404, 'not_found');
    });
  });

  describe('form of requests', () => {
    it('knows no other paths and methods', async () => {
      expectProblem(await api.call('/v1/nothing'), 404, 'not_found');
      expectProblem(await api.call('/v1/payments/'), 404, 'not_found');
      const answer = await api.call('/v1/events/payment_failed', { method: 'DELETE' });
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')).to.equal('POST');
      expect((await api.call('/v1/payments', { method: 'PUT' })).headers.get('allow')).to.equal('HEAD, GET');
    });
    it('refuses paths and queries that cannot be read', async () => {
      const token = 'user.acme';
      expectProblem(await api.call('/v1/payments/%zz', { token }), 400, 'not_parsable');
      expectProblem(await api.call('/v1/payments/1', { token }), 422, 'validation_failed');
      for (const query of [
        'limit=0',
        'limit=201',
        'limit=x',
        'limit=1&limit=2',
        'a=1',
        'status=x',
        'cursor=x',
      ])
        expectProblem(await api.call(`/v1/payments?${query}`, { token }), 422, 'validation_failed');
      expectProblem(await api.call('/v1/payments?transaction_ref=%00', { token }), 422, 'validation_failed');
    });
    it('takes JSON only', async () => {
      const raw = JSON.stringify(failure());
      const send = (type: string) =>
        api.call('/v1/events/payment_failed', { raw, token: 'user.acme', headers: { 'content-type': type } });
      for (const type of [
        'text/plain',
        'application/json; charset=latin1',
        'application/json; charset=',
        'x',
      ])
        expectProblem(await send(type), 415, 'unsupported_media_type');
      expect((await send('application/json; charset=UTF-8')).status).to.equal(202);
    });
    it('answers unusable bodies with the right refusal', async () => {
      const send = (raw: string | Buffer) =>
        api.call('/v1/events/payment_failed', {
          raw,
          token: 'user.acme',
          headers: { 'content-type': 'application/json' },
        });
      expectProblem(await send('{'), 400, 'not_parsable');
      expectProblem(await send(Buffer.from([0xff, 0xfe])), 400, 'not_parsable');
      expectProblem(await send('['.repeat(40_000) + ']'.repeat(40_000)), 422, 'validation_failed');
      expectProblem(await send(`"${'x'.repeat(300_000)}"`), 413, 'payload_too_large');
      for (const bad of ['{"a":1e999}', '{"a":9007199254740993}', '{"a":"\\u0000"}', '{"a":"\\ud800"}'])
        expectProblem(await send(bad), 422, 'validation_failed');
      for (const bad of ['{"__proto__":{}}', '{"a":{"constructor":1}}', '{"a":1,"a":2}', 'null', '[]', '1'])
        expectProblem(await send(bad), 422, 'validation_failed');
    });
  });

  describe('positions', () => {
    it('waits for the read model of the route', async () => {
      const answer = await api.call('/v1/payments', {
        token: 'user.acme',
        headers: { 'x-min-position': '7' },
      });
      expect(answer.status).to.equal(200);
      expect(asked).to.deep.equal([['payments', 7n]]);
    });
    it('says when it was not reached', async () => {
      reached = false;
      const answer = await api.call('/v1/recoveries', {
        token: 'user.acme',
        headers: { 'x-min-position': '7' },
      });
      expectProblem(answer, 503, 'position_not_reached');
      expect(answer.headers.get('retry-after')).to.equal('1');
    });
    it('refuses what is no position', async () => {
      for (const position of ['-1', 'x', '1e3', '9'.repeat(19)])
        expectProblem(
          await api.call('/v1/payments', { token: 'user.acme', headers: { 'x-min-position': position } }),
          422,
          'validation_failed',
        );
    });
  });

  it('serves the OpenAPI document and its reader from here', async () => {
    const document = await api.call<{ openapi: string }>('/openapi.json');
    expect(document.body.openapi).to.equal('3.1.0');
    const page = await api.call('/docs/');
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('swagger-ui-bundle.js');
    expect((await api.call('/docs/swagger-ui-bundle.js')).status).to.equal(200);
    expect((await api.call('/docs/swagger-ui-init.js')).text).to.contain('/openapi.json');
    expect(page.headers.get('content-security-policy')).to.contain("script-src 'self'");
    expect(page.text).not.to.match(/https?:\/\/(?!www\.w3\.org)/);
  });

  it('takes no card number for a request id', async () => {
    const headers = {
      'x-request-id': '4111-1111-1111-1111',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-4111111111111111-01',
    };
    const answer = await report(failure(), 'user.acme', headers);
    expect(answer.headers.get('x-request-id')).not.to.contain('1111');
    for await (const lines of store.readLines({ after: 0n }))
      expect(lines.join()).not.to.match(/4111-?1111-?1111/);
  });

  it('makes a request id when the one given is not sane', async () => {
    const answer = await api.call('/healthz', { headers: { 'x-request-id': 'a b' } });
    expect(answer.headers.get('x-request-id')).to.match(/^[0-9a-f-]{36}$/);
    expect(answer.body).to.deep.equal({ status: 'ok' });
  });
});
