import { expect } from 'chai';
import { startApi, type TestApi } from '../../test/support/api.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';

describe('audit log over HTTP', () => {
  let api: TestApi;
  let store: MemoryEventStore;
  afterEach(() => api.close());
  beforeEach(async () => {
    store = new MemoryEventStore();
    api = await startApi({ store });
    for (let n = 0; n < 5; n++) await report(`order-${n}`);
    await report('order-1', 'user.other');
  });
  const report = (transaction_ref: string, token = 'user.acme') => {
    const json = {
      transaction_ref,
      amount: 1999,
      currency: 'EUR',
      customer: { email: 'ada@example.com' },
      gateway: 'sandbox',
      failure: {},
    };
    return api.call('/v1/events/payment_failed', { json, token });
  };
  const audit = <B = { data: { position: string }[]; next_cursor: string | null }>(
    query: string,
    headers: Record<string, string> = {},
  ) => api.call<B>(`/v1/audit/events${query}`, { token: 'auditor.acme', headers });

  it('pages through the events of the organization', async () => {
    const first = await audit('?limit=3');
    expect(first.status, first.text).to.equal(200);
    expect(first.body.data.map(({ position }) => position)).to.deep.equal(['1', '2', '3']);
    const rest = await audit(`?limit=3&cursor=${first.body.next_cursor}`);
    expect(rest.body.data.map(({ position }) => position)).to.deep.equal(['4', '5']);
    expect(rest.body.next_cursor).to.equal(null);
    expect((await audit('?after=4')).body.data).to.have.length(1);
    expect((await audit('?type=PaymentSucceeded')).body.data).to.have.length(0);
    expect((await audit('?to=2020-01-01T00:00:00Z')).body.data).to.have.length(0);
    expect((await audit('?from=2020-01-01T00:00:00Z')).body.data).to.have.length(5);
    expect((await audit('?type=Nonsense')).status).to.equal(422);
    expect((await audit('?cursor=%00')).status).to.equal(422);
  });
  it('begins with the claim under which the organization is held now', async () => {
    const register = (founder_id: string, id: string, type = 'OrganizationRegistered') => ({
      id,
      type,
      data: type === 'OrganizationRegistered' ? { founder_id } : { reason: 'founder_never_came' },
      metadata: {
        org_id: api.orgId,
        actor: { type: 'system', id: 'test' } as const,
        correlation_id: id,
        causation_id: id,
        command_id: id,
        schema_version: 1,
        occurred_at: '2026-01-01T00:00:00.000Z',
      },
    });
    const ids = [1, 2, 3].map((n) => `7c9e6679-7425-40de-944b-e07fc1f90ae${n}`) as [string, string, string];
    await store.append(`organization-${api.orgId}`, 'no_stream', [
      register('the one who never came', ids[0]),
      register('', ids[1], 'OrganizationReleased'),
      register('the one who did', ids[2]),
    ]);
    for (const query of ['', '?after=2']) {
      const { body } = await audit<{ data: { data: { founder_id: string } }[] }>(query);
      expect(body.data.map(({ data }) => data.founder_id)).to.deep.equal(['the one who did']);
    }
  });
  it('streams them as lines', async () => {
    const answer = await audit('', { accept: 'application/x-ndjson' });
    expect(answer.headers.get('content-type')).to.equal('application/x-ndjson; charset=utf-8');
    const lines = answer.text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { position: string }).position)).to.have.length(5);
    const refused: { status: number; body: object } = await audit('', { accept: 'text/csv' });
    expect(refused.status).to.equal(406);
    expect(refused.body).to.include({ code: 'not_acceptable' });
  });

  it('keeps to the limit in both forms, and sends no body to HEAD', async () => {
    const accept = 'application/x-ndjson';
    const positions = ({ text }: { text: string }): unknown[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { position: string }).position);
    expect(positions(await audit('?limit=2', { accept }))).to.deep.equal(['1', '2']);
    expect(positions(await audit('?limit=2&after=3', { accept }))).to.deep.equal(['4', '5']);
    let read = 0;
    const { readLines } = store;
    store.readLines = (options) => (read++, readLines.call(store, options));
    const head = { method: 'HEAD', token: 'auditor.acme', headers: { accept } };
    const answer = await api.call('/v1/audit/events', head);
    expect([answer.status, answer.text, read]).to.deep.equal([200, '', 0]);
    expect(answer.headers.get('content-type')).to.equal('application/x-ndjson; charset=utf-8');
  });
  it('documents both forms', async () => {
    const { body } = await api.call<{ paths: Record<string, Record<string, unknown>> }>('/openapi.json');
    const content = 'get.responses.200.content';
    expect(body.paths['/v1/audit/events']).to.have.nested.property(`${content}.application/json`);
    expect(body.paths['/v1/audit/events']).to.have.nested.property(`${content}.application/x-ndjson`);
    const webhook = body.paths['/v1/webhooks/stripe/{org_id}'];
    expect(webhook).to.have.nested.property('post.requestBody.content');
    expect(JSON.stringify(webhook)).to.contain('Stripe-Signature');
  });
});
