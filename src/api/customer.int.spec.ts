import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { startApi, type TestApi } from '../../test/support/api.js';
import { registerOrganization } from '../commands/user/register.js';
import type { IdentityDeps } from '../commands/user/ports.js';
import { connectPsp } from '../commands/organization/commands.js';
import type { RecordedEvent } from '../events/envelope.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { orgIdOf } from '../kernel/ids.js';
import { silentLogger } from '../kernel/logger.js';
import type { SandboxSession } from './dependencies.js';

const SECRET = 'whsec_test_secret_of_the_endpoint';
const now = (): string => new Date().toISOString();

const memoryVault = () => {
  const secrets = new Map<string, string>();
  return {
    put: (id: string, orgId: string, secret: string) => {
      secrets.set(`${orgId}/${id}`, secrets.get(`${orgId}/${id}`) ?? secret);
      return Promise.resolve();
    },
    get: (id: string, orgId: string) => Promise.resolve(secrets.get(`${orgId}/${id}`)),
  };
};

describe('webhooks and pages over HTTP', () => {
  const orgId = orgIdOf('acme');
  let api: TestApi;
  let store: MemoryEventStore;
  let session: SandboxSession;

  beforeEach(async () => {
    store = new MemoryEventStore();
    const vault = memoryVault();
    const hasher = {
      hash: (text: string) => Promise.resolve(text),
      verify: () => Promise.resolve(true),
      decoy: '',
    };
    const identity: IdentityDeps = {
      store,
      vault,
      hasher,
      identityKey: Buffer.alloc(32, 1),
      logger: silentLogger,
      userChanged: () => undefined,
    };
    const id = '11111111-1111-4111-8111-111111111111';
    const origin = { commandId: id, correlationId: id, causationId: id, now: now() };
    const input = { email: 'ada@example.com', password: 'x'.repeat(12), orgName: 'Acme', orgSlug: 'acme' };
    const { user } = await registerOrganization(identity, input, origin);
    const principal = { actor: { type: 'user', id: user.id }, orgId, role: 'admin' } as const;
    const context = { ...origin, commandId: '22222222-2222-4222-8222-222222222222', principal };
    await connectPsp({ store, vault }, { provider: 'stripe', webhookSecret: SECRET }, context);
    session = {
      id: 'cs_1',
      org_id: orgId,
      transaction_ref: 'order-1',
      amount: 1999,
      currency: 'EUR',
      return_url: 'http://localhost:8000/r/abc',
      status: 'open',
    };
    api = await startApi({
      store,
      vault,
      identity,
      environment: 'development',
      sandbox: {
        session: (wanted) => Promise.resolve(wanted === 'cs_1' ? session : undefined),
        completeCheckout: (_id, choice) =>
          Promise.resolve(
            choice === 'pay'
              ? { status: 'paid', session, reference: 'ch_1' }
              : { status: 'declined', session },
          ),
      },
      mailCatcher: {
        list: () =>
          Promise.resolve([{ id: 'm1', to: 'ada@example.com', subject: '<b>Hi</b>', caughtAt: now() }]),
        read: (wanted) =>
          Promise.resolve(
            wanted === 'm1'
              ? { id: 'm1', to: 'a', subject: 's', caughtAt: now(), html: '<p>mail</p>', eml: 'Subject: s' }
              : undefined,
          ),
      },
    });
  });
  afterEach(() => api.close());

  const eventsOf = async (type: string): Promise<RecordedEvent[]> => {
    const found: RecordedEvent[] = [];
    for await (const delivery of store.readAll({ after: 0n, filter: { types: [type] } }))
      if (delivery.kind === 'events') found.push(...delivery.events);
    return found;
  };

  const intentFailed = (metadata: object = {}) => ({
    id: 'evt_1',
    object: 'event',
    type: 'payment_intent.payment_failed',
    created: 1_790_000_000,
    request: { id: null, idempotency_key: null },
    data: {
      object: {
        id: 'pi_1',
        object: 'payment_intent',
        amount: 1999,
        currency: 'eur',
        metadata: { transaction_ref: 'order-1', ...metadata },
        receipt_email: 'ada@example.com',
        latest_charge: 'ch_9',
        last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds', charge: 'ch_9' },
      },
    },
  });
  const sign = (payload: string, secret = SECRET): string => {
    const at = Math.floor(Date.now() / 1000);
    return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${payload}`).digest('hex')}`;
  };
  const deliver = (event: object, options: { secret?: string; org?: string } = {}) => {
    const raw = JSON.stringify(event, null, 2);
    const headers = { 'content-type': 'application/json', 'stripe-signature': sign(raw, options.secret) };
    return api.call(`/v1/webhooks/stripe/${options.org ?? orgId}`, { raw, headers });
  };

  it('takes a signed event in, once', async () => {
    for (let n = 0; n < 3; n++) {
      const answer = await deliver(intentFailed());
      expect(answer.status, answer.text).to.equal(200);
      expect(answer.body).to.deep.equal({ received: true });
    }
    const [event, ...more] = await eventsOf('PaymentFailed');
    expect(more).to.have.length(0);
    expect(event?.metadata).to.deep.include({ org_id: orgId, actor: { type: 'psp', id: 'stripe' } });
  });

  it('refuses what is not signed with the secret of the organization', async () => {
    const answers = [
      await deliver(intentFailed(), { secret: 'whsec_other' }),
      await deliver(intentFailed(), { org: orgIdOf('other') }),
      await api.call(`/v1/webhooks/stripe/${orgId}`, { raw: '{}', method: 'POST' }),
    ];
    for (const answer of answers) {
      expect(answer.status).to.equal(400);
      expect(answer.body).to.include({ code: 'signature_invalid' });
    }
    expect(await eventsOf('PaymentFailed')).to.have.length(0);
  });

  it('shows one page for links that are unknown', async () => {
    const get = await api.call('/r/nonsense');
    expect(get.status).to.equal(404);
    expect(get.headers.get('content-type')).to.equal('text/html; charset=utf-8');
    expect((await api.call('/r/nonsense/pay', { method: 'POST' })).text).to.equal(get.text);
  });

  it("lets the page's own style through its policy, and nothing else", async () => {
    const page = await api.call('/r/nonsense');
    const policy = page.headers.get('content-security-policy') ?? '';
    const style = /<style>([\s\S]*?)<\/style>/.exec(page.text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy).to.contain(`style-src 'sha256-${hash}'`).and.contain("default-src 'none'");
    expect(page.headers.get('referrer-policy')).to.equal('no-referrer');
    expect(page.headers.get('cache-control')).to.equal('no-store');
  });

  const choose = (choice: string) =>
    api.call('/sandbox/checkout/cs_1', {
      raw: `choice=${choice}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  it('records a paid sandbox checkout once and leads back', async () => {
    expect((await api.call('/sandbox/checkout/cs_1')).text).to.contain('€19.99');
    expect((await api.call('/sandbox/checkout/cs_2')).status).to.equal(404);
    expect((await choose('decline')).status).to.equal(200);
    expect(await eventsOf('PaymentSucceeded')).to.have.length(0);
    for (let n = 0; n < 2; n++) {
      const answer = await choose('pay');
      expect(answer.status, answer.text).to.equal(303);
      expect(answer.headers.get('location')).to.equal(session.return_url);
    }
    const [event, ...more] = await eventsOf('PaymentSucceeded');
    expect(more).to.have.length(0);
    expect(event?.data).to.include({ source: 'link', amount: 1999 });
    expect((await choose('nonsense')).status).to.equal(422);
  });

  it('records a sandbox payment that was made and not told, when the page is looked at again', async () => {
    session = { ...session, status: 'paid', reference: 'ch_1' };
    for (let n = 0; n < 2; n++) expect((await api.call('/sandbox/checkout/cs_1')).status).to.equal(200);
    const [event, ...more] = await eventsOf('PaymentSucceeded');
    expect(more).to.have.length(0);
    expect(event?.data).to.include({ source: 'link', trigger_id: 'ch_1' });
  });

  it('lists caught mails in development, escaped', async () => {
    const list = await api.call('/dev/mail');
    expect(list.text).to.contain('&lt;b&gt;Hi&lt;/b&gt;').and.contain('/dev/mail/m1');
    expect((await api.call('/dev/mail/m1')).text).to.equal('<p>mail</p>');
    expect((await api.call('/dev/mail/m1/source')).text).to.equal('Subject: s');
    expect((await api.call('/dev/mail/m2')).status).to.equal(404);
  });

  it('tells a connection without its secrets', async () => {
    const get = () => api.call('/v1/psp/connection', { token: 'admin.acme' });
    expect((await get()).body).to.deep.equal({
      connections: [{ provider: 'stripe', api_key_set: false, webhook_secret_set: true }],
    });
    const json = { provider: 'stripe', api_key: 'sk_test_canary' };
    const put = await api.call('/v1/psp/connection', { method: 'PUT', token: 'admin.acme', json });
    expect(put.status, put.text).to.equal(200);
    expect(put.text).not.to.contain('canary');
    expect((await get()).body).to.deep.equal({
      connections: [{ provider: 'stripe', api_key_set: true, webhook_secret_set: true }],
    });
  });

  it('registers, and refuses what is taken', async () => {
    const json = { email: 'eve@example.com', password: 'a long password', org_name: 'Eve', org_slug: 'acme' };
    const answer = await api.call('/v1/auth/register', { json });
    expect(answer.status).to.equal(409);
    expect(answer.body).to.include({ code: 'slug_taken' });
  });
});
