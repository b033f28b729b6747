import { expect } from 'chai';
import { allRoutes } from '../src/api/routes/index.js';
import { memoryDependencies } from './support/api.js';
import { fuzz } from './support/fuzz.js';
import { type PgApi, startPgApi } from './support/pgApi.js';
import { readEvents } from './support/systemLog.js';

const password = 'a long enough one';
interface Session {
  readonly access_token: string;
  readonly user: { readonly id: string; readonly role: string };
  readonly organization: { readonly id: string };
}

describe('HTTP interface on Postgres', () => {
  let api: PgApi;
  let serial = 0;
  before(async () => {
    api = await startPgApi();
  });
  after(() => api.close());

  const post = <B>(path: string, json: object, token?: string) =>
    api.call<B>(path, { json, ...(token !== undefined && { token }) });
  const register = (over: object = {}) => {
    const name = `org-${++serial}`;
    const input = { email: `${name}@example.com`, password, org_name: name, org_slug: name, ...over };
    return post<Session & { code?: string }>('/v1/auth/register', input);
  };
  const founder = async (): Promise<{ token: string; email: string; session: Session }> => {
    const { status, body, text } = await register();
    expect(status, text).to.equal(201);
    return { token: body.access_token, email: `org-${serial}@example.com`, session: body };
  };
  const login = (email: string, typed = password) =>
    post<Session & { code?: string }>('/v1/auth/login', { email, password: typed });

  it('registers, logs in, and tells who and where one is', async () => {
    const { email, session } = await founder();
    const { status, body } = await login(email.toUpperCase());
    expect(status).to.equal(200);
    expect(body.user).to.deep.equal(session.user);
    const me = await api.call<Session['user']>('/v1/auth/me', { token: body.access_token });
    expect(me.body).to.deep.include({ id: session.user.id, role: 'admin' });
    const org = await api.call('/v1/auth/org', { token: body.access_token });
    expect(org.body).to.deep.include({ id: session.organization.id, is_active: true });
    expect((await login(email, 'a wrong password')).body.code).to.equal('invalid_credentials');
    expect((await api.call('/v1/auth/me', { token: `${body.access_token}x` })).status).to.equal(401);
  });

  it('makes, changes and deactivates users, and voids their tokens at once', async () => {
    const { token, session } = await founder();
    const email = `bob-${serial}@example.com`;
    const made = await post<{ id: string }>('/v1/users', { email, password, role: 'user' }, token);
    expect(made.status, made.text).to.equal(201);
    const bob = (await login(email)).body.access_token;
    const change = (id: string, json: object) =>
      api.call(`/v1/users/${id}`, { method: 'PATCH', json, token });
    expect(
      (await post('/v1/users', { email: 'c@example.com', password, role: 'user' }, bob)).status,
    ).to.equal(403);
    expect((await change(made.body.id, { role: 'viewer' })).body).to.include({ role: 'viewer' });
    expect((await api.call('/v1/auth/me', { token: bob })).status).to.equal(401);
    expect((await change(made.body.id, { is_active: false })).status).to.equal(200);
    expect((await login(email)).body.code).to.equal('invalid_credentials');
    expect((await change(session.user.id, { role: 'user' })).body).to.include({ code: 'last_admin' });
    const stranger = await founder();
    const foreign = await api.call(`/v1/users/${made.body.id}`, {
      method: 'PATCH',
      json: { role: 'admin' },
      token: stranger.token,
    });
    expect(foreign.body).to.include({ code: 'not_found' });
  });

  it('changes the own password', async () => {
    const { token, email } = await founder();
    const next = 'another long one';
    const wrong = { current_password: 'not this one', new_password: next };
    expect((await post('/v1/auth/password', wrong, token)).status).to.equal(401);
    const changed = await post(
      '/v1/auth/password',
      { current_password: password, new_password: next },
      token,
    );
    expect(changed.status, changed.text).to.be.below(300);
    expect((await api.call('/v1/auth/me', { token })).status).to.equal(401);
    expect((await login(email)).status).to.equal(401);
    expect((await login(email, next)).status).to.equal(200);
  });

  it('lets eight logins of one user in at once', async () => {
    const { email } = await founder();
    const statuses = (await Promise.all(Array.from({ length: 8 }, () => login(email)))).map(
      (one) => one.status,
    );
    expect(new Set(statuses)).to.deep.equal(new Set([200]));
  });

  it('records 32 failures of one payment reported at once', async () => {
    const { token } = await founder();
    const report = (code: number) =>
      post(
        '/v1/events/payment_failed',
        {
          transaction_ref: 'order-1',
          amount: 1999,
          currency: 'EUR',
          customer: { email: 'ada@example.com' },
          gateway: 'sandbox',
          failure: { code: `code ${code}` },
        },
        token,
      );
    const answers = await Promise.all(Array.from({ length: 32 }, (_, index) => report(index)));
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([202]));
  });

  it('gives one slug, and one address, to one of sixteen registrations at once', async () => {
    const race = async (over: object, code: string): Promise<void> => {
      const answers = await Promise.all(Array.from({ length: 16 }, () => register(over)));
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      for (const { status, body } of answers) if (status !== 201) expect(body.code).to.equal(code);
    };
    await race({ org_slug: 'wanted' }, 'slug_taken');
    await race({ email: 'wanted@example.com' }, 'email_taken');
  });

  it('answers a policy that is in force already with the instant at which it was set', async () => {
    const { token } = await founder();
    const json = {
      max_retries: 2,
      initial_delay_minutes: 60,
      backoff_multiplier: 2,
      max_delay_minutes: 600,
      enabled_channels: ['email'],
    };
    const put = () => api.call('/v1/retry/policies/active', { method: 'PUT', json, token });
    const first = await put();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await put()).body).to.deep.equal(first.body);
  });

  it('never fails on our side, and leaves no projection behind', async function () {
    this.timeout(120_000);
    const { token } = await founder();
    const wanted = /^\/v1\/(payments|recoveries|users|events|analytics|audit|retry|rules|declines|webhooks)/;
    for (const route of allRoutes(memoryDependencies()))
      if (wanted.test(route.path)) await fuzz(api, route, token, 25);
    const events = await readEvents(api.database);
    const head = events.at(-1)?.position ?? 0n;
    expect(await api.identity.store.head()).to.equal(head);
    for (const { name, state } of await api.engine.status())
      expect(await api.engine.waitFor(name, head, 5000), `${name} is ${state}`).to.equal(true);
  });
});
