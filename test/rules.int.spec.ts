import { expect } from 'chai';
import type { FieldError } from '../src/kernel/errors.js';
import { type Answer } from './support/api.js';
import { PASSWORD, type PgApi, startPgApi } from './support/pgApi.js';
import { ruleId } from './support/ruleSamples.js';

interface Rule {
  readonly id: string;
  readonly name: string;
  readonly position: number;
  readonly enabled: boolean;
  readonly rules_version: number;
}
interface List {
  readonly rules_version: number;
  readonly data: readonly Rule[];
}
interface Problem {
  readonly code: string;
  readonly errors?: readonly FieldError[];
}

const actions = { delay_minutes: 60 };

describe('rules over HTTP', () => {
  let api: PgApi;
  let token: string;
  before(async () => {
    api = await startPgApi();
  });
  after(() => api.close());

  beforeEach(async () => {
    ({ token } = await api.founder());
  });

  const send = <B = Rule & Problem>(
    method: string,
    path: string,
    json?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer<B>> => api.call<B>(path, { method, token, headers, ...(json !== undefined && { json }) });
  const add = (json: object, headers?: Record<string, string>) => send('POST', '/v1/rules', json, headers);
  const list = async (after?: Answer<unknown>): Promise<List> => {
    const position = after?.headers.get('x-event-position') ?? undefined;
    const headers = position === undefined ? {} : { 'x-min-position': position };
    return (await send<List>('GET', '/v1/rules', undefined, headers)).body;
  };
  const names = ({ data }: List): string[] => data.map(({ name }) => name);

  it('none are there at first', async () => {
    expect(await list()).to.deep.equal({ rules_version: 0, data: [] });
  });

  it('are added, listed in order, written anew, switched off and removed', async () => {
    const conditions = { category: ['insufficient_funds'], amount: { at_least: 10_000 }, currency: ['EUR'] };
    const first = await add({ name: 'first', conditions, actions });
    expect(first.status, first.text).to.equal(201);
    expect(first.body).to.deep.equal({
      id: first.body.id,
      position: 0,
      name: 'first',
      enabled: true,
      conditions,
      actions,
      rules_version: 1,
    });
    await add({ name: 'second', actions, enabled: false });
    const third = await add({ name: 'third', actions, position: 0 });
    expect(third.body).to.include({ position: 0, rules_version: 4 });
    const listed = await list(third);
    expect(names(listed)).to.deep.equal(['third', 'first', 'second']);
    expect(listed.rules_version).to.equal(4);

    const path = `/v1/rules/${first.body.id}`;
    const next = { name: 'first, changed', enabled: true, conditions: {}, actions: { channel: 'none' } };
    const written = await send('PUT', path, next);
    expect(written.body).to.deep.include({ ...next, position: 1, rules_version: 5 });
    expect((await send('PUT', path, next)).body.rules_version, 'the same again').to.equal(5);
    const off = await send('PATCH', path, { enabled: false });
    expect(off.body).to.deep.include({ ...next, enabled: false, rules_version: 6 });
    const seen = await send('GET', path, undefined, {
      'x-min-position': off.headers.get('x-event-position') ?? '',
    });
    expect(seen.body).to.deep.equal(off.body);

    const gone = await send('DELETE', path);
    expect([gone.status, gone.text]).to.deep.equal([204, '']);
    expect(names(await list(gone))).to.deep.equal(['third', 'second']);
    expect((await send('DELETE', path)).body).to.include({ code: 'not_found' });
    expect((await send('GET', path)).body).to.include({ code: 'not_found' });
  });

  it('are put into another order, every one once', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push((await add({ name, actions })).body.id);
    const order = (...indexes: number[]) =>
      send<List & Problem>('PUT', '/v1/rules/order', { rule_ids: indexes.map((index) => ids[index]) });
    const turned = await order(2, 0, 1);
    expect(names(turned.body)).to.deep.equal(['c', 'a', 'b']);
    expect(names(await list(turned))).to.deep.equal(['c', 'a', 'b']);
    expect((await order(2, 0, 1)).body.rules_version).to.equal(4);
    for (const wrong of [[0, 1], [0, 1, 1, 2], []]) {
      const { status, body } = await order(...wrong);
      expect([status, body.code]).to.deep.equal([422, 'validation_failed']);
      expect(body.errors?.[0]?.pointer).to.match(/^\/rule_ids/);
    }
    expect((await send('GET', '/v1/rules/order')).status).to.equal(405);
  });

  it('are refused where they make no sense, and it is told where', async () => {
    const faultsOf = async (rule: object): Promise<readonly FieldError[]> => {
      const { status, body } = await add({ name: 'x', actions, ...rule });
      expect([status, body.code]).to.deep.equal([422, 'validation_failed']);
      return body.errors ?? [];
    };
    const pointersOf = async (rule: object) => (await faultsOf(rule)).map(({ pointer }) => pointer);
    const ofConditions = (conditions: object) => pointersOf({ conditions });
    expect(await pointersOf({ name: '' })).to.deep.equal(['/name']);
    expect(await pointersOf({ actions: {} })).to.deep.equal(['/actions']);
    expect(await ofConditions({ category: [] })).to.deep.equal(['/conditions/category']);
    expect(await ofConditions({ card_brand: ['visaa'] })).to.deep.equal(['/conditions/card_brand/0']);
    expect(await ofConditions({ country: ['ZZ'] })).to.deep.equal(['/conditions/country/0']);
    expect(await pointersOf({ name: ' ' })).to.deep.equal(['/name']);
    expect(await ofConditions({ country: ['DE', 'DE'] })).to.deep.equal(['/conditions/country']);
    expect(await ofConditions({ attempt: {} })).to.deep.equal(['/conditions/attempt']);
    expect(await ofConditions({ metadata: { plan: [] } })).to.deep.equal(['/conditions/metadata/plan']);
    expect(await ofConditions({ colour: ['red'] })).to.deep.equal(['/conditions/colour']);
    expect(await ofConditions({ amount: { at_most: 5 } })).to.deep.equal(['/conditions/currency']);
    expect(await pointersOf({ actions: { policy: { max_retries: 11 } } })).to.deep.equal([
      '/actions/policy/max_retries',
    ]);
    expect(await pointersOf({ actions: { skip_retries: true, delay_minutes: 5 } })).to.deep.equal([
      '/actions/delay_minutes',
    ]);
    const [category] = await faultsOf({ conditions: { category: ['poor'] } });
    expect(category?.detail).to.match(/^must be one of insufficient_funds, /);
    const [template] = await faultsOf({ actions: { template: 'dunning' } });
    expect(template?.detail).to.equal(
      'must be one of payment_failed, authentication_required, update_card, other_method, final_notice',
    );
    expect((await list()).data).to.deep.equal([]);
  });

  it('are not changed from a version that is not theirs any more', async () => {
    const { body } = await add({ name: 'a', actions }, { 'if-match': '"0"' });
    const path = `/v1/rules/${body.id}`;
    const stale = await send('PATCH', path, { enabled: false }, { 'if-match': '"0"' });
    expect([stale.status, stale.body.code]).to.deep.equal([412, 'version_mismatch']);
    const odd = await send('PATCH', path, { enabled: false }, { 'if-match': 'yesterday' });
    expect(odd.body.errors?.[0]?.pointer).to.equal('/header/if-match');
    expect((await send('PATCH', path, { enabled: false }, { 'if-match': '"1"' })).status).to.equal(200);
    expect((await send('DELETE', path, undefined, { 'if-match': '*' })).status).to.equal(204);
  });

  it('are added once under an Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'k-1' };
    const first = await add({ name: 'a', actions }, key);
    expect((await add({ name: 'a', actions }, key)).body).to.deep.equal(first.body);
    expect((await add({ name: 'b', actions }, key)).body).to.include({ code: 'idempotency_key_reused' });
    expect((await list(first)).data).to.have.length(1);
  });

  it('are not added again under the key of one that was removed', async () => {
    const key = { 'idempotency-key': 'k-2' };
    const { body } = await add({ name: 'a', actions }, key);
    const gone = await send('DELETE', `/v1/rules/${body.id}`);
    const late = await add({ name: 'a', actions }, key);
    expect([late.status, late.body.code]).to.deep.equal([404, 'not_found']);
    expect(await list(gone)).to.deep.equal({ rules_version: 2, data: [] });
  });

  it('name card brands in any usual word, and keep them by one', async () => {
    const conditions = { card_brand: ['American Express', 'mc'] };
    const { body } = await add({ name: 'a', conditions, actions });
    expect(body).to.deep.include({ conditions: { card_brand: ['amex', 'mastercard'] } });
  });

  it("are one organization's own", async () => {
    const { body } = await add({ name: 'a', actions });
    token = (await api.founder()).token;
    const path = `/v1/rules/${body.id}`;
    const rule = { name: 'b', enabled: true, conditions: {}, actions };
    for (const answer of [
      await send('GET', path),
      await send('PUT', path, rule),
      await send('PATCH', path, { enabled: false }),
      await send('DELETE', path),
    ])
      expect([answer.status, answer.body.code]).to.deep.equal([404, 'not_found']);
    expect(await list()).to.deep.equal({ rules_version: 0, data: [] });
    const order = await send('PUT', '/v1/rules/order', { rule_ids: [body.id] });
    expect(order.status).to.equal(422);
  });

  it('are for admins to change and for everybody to see', async () => {
    const { body } = await add({ name: 'a', actions });
    const email = 'vic@example.com';
    await send('POST', '/v1/users', { email, password: PASSWORD, role: 'viewer' });
    const login = await api.call<{ access_token: string }>('/v1/auth/login', {
      json: { email, password: PASSWORD },
    });
    token = login.body.access_token;
    expect(names(await list())).to.deep.equal(['a']);
    const path = `/v1/rules/${body.id}`;
    for (const answer of [
      await add({ name: 'b', actions }),
      await send('PATCH', path, { enabled: false }),
      await send('DELETE', path),
      await send('PUT', '/v1/rules/order', { rule_ids: [] }),
    ])
      expect(answer.status).to.equal(403);
  });

  it('changed by many at once are all changed', async () => {
    const added = await Promise.all(
      Array.from({ length: 12 }, (_, n) => add({ name: `rule ${n}`, actions })),
    );
    expect(new Set(added.map(({ status }) => status))).to.deep.equal(new Set([201]));
    const versions = added.map(({ body }) => body.rules_version).sort((a, b) => a - b);
    expect(versions).to.deep.equal(Array.from({ length: 12 }, (_, n) => n + 1));
  });

  it('leave a trace of who changed what', async () => {
    const { body } = await add({ name: 'a', actions });
    const org = await send<{ id: string }>('GET', '/v1/auth/org');
    interface Audited {
      readonly type: string;
      readonly data: { readonly rule: { readonly id: string } };
      readonly metadata: { readonly actor: { readonly type: string } };
    }
    const path = `/v1/audit/events?stream=rules-${org.body.id}`;
    const { data } = (await send<{ data: readonly Audited[] }>('GET', path)).body;
    expect(data.map((event) => [event.type, event.data.rule.id, event.metadata.actor.type])).to.deep.equal([
      ['RuleAdded', body.id, 'user'],
    ]);
  });

  it('know no rule that never was', () =>
    send('GET', `/v1/rules/${ruleId(1)}`).then(({ status }) => expect(status).to.equal(404)));
});
