/**
 * The whole system on Postgres with a canary in every personal and secret field, while requests, projections, the PSP
 * and the mail fail: no line of its log and nothing on stderr holds one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import Stripe from 'stripe';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { sampleEvents } from './support/eventSamples.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { buildOnce } from './support/systemBuild.js';
import { type Request, send } from './support/systemClient.js';

const secrets = {
  password: 'Canary-password-1',
  wrong: 'Canary-password-2',
  apiKey: 'sk_test_canary4242apikey',
  webhook: 'whsec_canarysecret42',
};
const personal = {
  owner: 'owner-canary@canary.test',
  ownerName: 'Olga Canaryowner',
  email: 'ada-canary@canary.test',
  name: 'Ada Canaryname',
  customer: 'cus_canary4711',
  message: 'Canarymessage of the issuer',
  note: 'Canarynote O"Brien',
  card: '4111111111111111',
};

describe('the log of the whole system', function () {
  this.timeout(150_000);
  let db: TestDatabase;
  let dir: string;
  let stripe: Server;
  let child: ChildProcess;
  let out = '';
  let url = '';
  let token = '';
  const found: Record<string, string> = { ...secrets, ...personal };

  before(async () => {
    [db, dir] = await Promise.all([createTestDatabase(), mkdtemp(join(tmpdir(), 'recovery-test-canary-'))]);
    const error = {
      message: `${personal.message} ${personal.email}`,
      type: 'api_error',
      param: personal.note,
    };
    stripe = createServer((_req, res) => {
      res.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => stripe.once('listening', resolve));
    const entry = join(await buildOnce(), 'test/support/crashChild.js');
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: db.url,
      DATA_DIR: dir,
      PORT: '0',
      STRIPE_API_BASE: `http://127.0.0.1:${(stripe.address() as AddressInfo).port}`,
      LOG_LEVEL: 'debug',
    };
    child = fork(entry, [], { env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    await new Promise((resolve) => child.once('message', resolve));
    child.send({ from: new Date().toISOString() });
    const port = await until(() => /"port":(\d+)/.exec(out)?.[1]);
    url = `http://127.0.0.1:${port}`;
  });
  after(async () => {
    child.kill('SIGKILL');
    stripe.close();
    stripe.closeAllConnections();
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const until = async <T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt;) {
      const value = await find();
      if (value !== undefined) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it never came:\n${out.slice(-4000)}`);
  };
  const call = (path: string, request: Request = {}) => send(url + path, { token, ...request });
  const logged = (what: string): Promise<true> => until(() => (out.includes(what) ? true : undefined));
  const recorded = (type: string): Promise<true> =>
    until(async () => {
      const { rowCount } = await db.pool.query('SELECT FROM events WHERE type = $1 LIMIT 1', [type]);
      return rowCount === 1 ? true : undefined;
    });
  const fail = (ref: string, change: object = {}) =>
    call('/v1/events/payment_failed', {
      json: {
        transaction_ref: ref,
        amount: 1999,
        currency: 'EUR',
        customer: { id: personal.customer, email: personal.email, name: personal.name },
        gateway: 'sandbox',
        failure: { decline_code: 'expired_card', message: personal.message },
        metadata: { note: personal.note },
        ...change,
      },
    });
  const mailIn = (folder: string) => async (): Promise<string | undefined> => {
    const name = (await readdir(folder).catch(() => [])).find((one) => one.endsWith('.eml'));
    return name && readFile(join(folder, name), 'utf8');
  };

  const work = async (): Promise<void> => {
    const account = { email: personal.owner, password: secrets.password, full_name: personal.ownerName };
    const registered = await call('/v1/auth/register', {
      token: '',
      json: { ...account, org_name: 'Canary', org_slug: 'canary' },
    });
    expect(registered.status, registered.text).to.equal(201);
    found['token'] = token = String(registered.body['access_token']);
    const { id } = registered.body['organization'] as { id: string };
    const stripeKeys = { provider: 'stripe', api_key: secrets.apiKey, webhook_secret: secrets.webhook };
    expect((await call('/v1/psp/connection', { method: 'PUT', json: stripeKeys })).status).to.equal(200);
    const object = { id: 'pi_1', object: 'payment_intent', amount: 500, currency: 'eur' };
    const failure = { last_payment_error: { message: personal.message }, receipt_email: personal.email };
    const raw = JSON.stringify({
      id: 'evt_1',
      object: 'event',
      type: 'payment_intent.payment_failed',
      created: Math.floor(Date.now() / 1000),
      data: { object: { ...object, ...failure, customer: personal.customer } },
    });
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: raw, secret: secrets.webhook });
    await call(`/v1/webhooks/stripe/${id}`, { raw, headers: { 'stripe-signature': signature } });
    await call(`/v1/webhooks/stripe/${id}`, {
      raw,
      headers: { 'stripe-signature': `t=1,v1=${secrets.wrong}` },
    });
    expect((await fail('order-1')).status).to.equal(202);
  };

  const misbehave = async (): Promise<void> => {
    const login = { email: personal.owner, password: secrets.wrong };
    expect((await call('/v1/auth/login', { json: login })).status).to.equal(401);
    expect((await fail('order-2', { metadata: { note: personal.card } })).status).to.equal(422);
    expect((await fail('order-2', { [personal.name]: personal.email })).status).to.equal(422);
    await call('/v1/events/payment_failed', { raw: `{"email":"${personal.email}` });
    await call(`/v1/payments?transaction_ref=${personal.email}&token=${secrets.password}`);
    await call(`/v1/payments/${personal.card}`);
    await call('/v1/payments', { token: `${token}x` });
  };

  it('holds no secret and no personal data, whatever fails', async () => {
    await work();
    const mail = await until(mailIn(join(dir, 'mail')));
    const link = /\/r\/([\w.~-]{20,})/.exec(mail.replaceAll('=\n', ''))?.[1] ?? '';
    expect(link).not.to.equal('');
    found['link'] = link.slice(-20);
    await call(`/r/${link}`);
    await call(`/r/${link}/pay`, { form: {} });
    await misbehave();

    await rm(join(dir, 'mail'), { recursive: true });
    await writeFile(join(dir, 'mail'), 'in the way');
    await fail('order-3', {
      failure: { decline_code: 'insufficient_funds', message: personal.message },
      metadata: { note: personal.note, sandbox_script: 'timeout_unrecorded' },
    });
    await fail('order-4', { gateway: 'stripe', payment_method: { id: 'pm_1' } });
    for (const type of ['RetryOutcomeUnknown', 'NotificationFailed']) await recorded(type);

    const store = new PgEventStore({ pool: db.pool });
    const [event] = sampleEvents(1, { type: 'PaymentFailed' });
    if (event) {
      const data = { amount: personal.note, failed_at: personal.note, customer: personal };
      await store.append(`payment-${event.id}`, 'no_stream', [{ ...event, data }]);
    }
    await store.close();
    await logged('projection stopped');
    await logged('message not handled');
    await db.pool.query('ALTER VIEW payments RENAME TO payments_gone');
    expect((await call(`/v1/payments?transaction_ref=${personal.email}`)).status).to.equal(500);
    await logged('request failed');

    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
    for (const [what, canary] of Object.entries(found))
      expect(out.includes(canary), `${what} is in:\n${lineWith(canary)}`).to.equal(false);
    expect(out.split('\n').length).to.be.greaterThan(20);
  });

  const lineWith = (canary: string): string => out.split('\n').find((line) => line.includes(canary)) ?? '';
});
