import { connect } from 'node:net';
import { expect } from 'chai';
import { memoryDependencies, startApi, type TestApi } from '../../test/support/api.js';
import { fuzz } from '../../test/support/fuzz.js';
import { createAccessLog, createLogger } from '../infra/logging/logger.js';
import { openApiOf } from './openapi.js';
import { allRoutes } from './routes/index.js';

const routes = allRoutes(memoryDependencies());
const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

/** Sends bytes and gives back what comes until the other side closes. */
const speak = (port: number, bytes: string | Buffer, hangUp = false): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      if (hangUp) socket.write(bytes, () => setTimeout(() => socket.destroy(), 20));
      else socket.end(bytes);
    });
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error) => (hangUp ? resolve(answer) : reject(error)));
  });

describe('hostile requests', () => {
  let api: TestApi;
  const lines: string[] = [];
  const errors: unknown[] = [];
  before(async () => {
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ logLevel: 'debug', environment: 'test' }, destination);
    const accessLog = createAccessLog(logger);
    api = await startApi({ logger, accessLog, onError: (error) => errors.push(error) });
  });
  after(() => api.close());
  beforeEach(() => {
    lines.length = 0;
    errors.length = 0;
  });

  const head = (length: string): string =>
    `POST /v1/events/payment_failed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer user.acme\r\n` +
    `Content-Type: application/json\r\n${length}\r\n\r\n`;

  it('never fail on our side: random JSON and bytes to every route', async function () {
    this.timeout(60_000);
    for (const route of routes.filter(({ path }) => !/^\/v1\/auth\/(reg|log|pass)/.test(path)))
      await fuzz(api, route, 'admin.acme', 12);
  });

  it('are refused when they are no HTTP', async () => {
    for (const garbage of [
      '\0\0\0\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      `GET /${'x'.repeat(20_000)}`,
    ])
      expect(await speak(api.port, garbage)).to.match(/^(HTTP\/1\.1 4\d\d |$)/);
    const pipelined = await speak(api.port, `GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\x01garbage\r\n\r\n`);
    expect(pipelined).to.match(/HTTP\/1\.1 400 /);
  });

  it('are refused when their length is a lie', async () => {
    for (const length of [
      'Content-Length: -1',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 1e3',
    ])
      expect(await speak(api.port, `${head(length)}{}`)).to.match(/^HTTP\/1\.1 400 /);
    const both = 'Content-Length: 2\r\nTransfer-Encoding: chunked';
    expect(await speak(api.port, `${head(both)}{}`)).to.match(/^HTTP\/1\.1 400 /);
    expect(await speak(api.port, `${head('Content-Length: 300000')}{}`)).to.match(/^HTTP\/1\.1 413 /);
    const chunk = `40000\r\n${' '.repeat(0x40000)}\r\n`;
    expect(await speak(api.port, `${head('Transfer-Encoding: chunked')}${chunk}${chunk}0\r\n\r\n`)).to.match(
      /^HTTP\/1\.1 413 /,
    );
  });

  it('are no errors of ours when the client hangs up', async () => {
    await speak(api.port, `${head('Content-Length: 100')}{"a":`, true);
    await speak(api.port, head('Transfer-Encoding: chunked'), true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(errors).to.have.length(0);
    expect(lines.filter((line) => /"level":"(warn|error)"/.test(line))).to.have.length(0);
    expect((await api.call('/healthz')).status).to.equal(200);
  });
});

describe('access log', () => {
  const email = 'canary.lady@example.com';
  const name = 'Lady Canary';
  const password = 'canary-password-1';
  const card = '4242424242424242';
  const token = 'canaryToken42';
  const canaries = [email, name, password, card, token];
  const lines: string[] = [];
  let api: TestApi;
  before(async () => {
    const logger = createLogger(
      { logLevel: 'trace', environment: 'test' },
      { write: (line: string) => void lines.push(line) },
    );
    api = await startApi({ logger, accessLog: createAccessLog(logger) });
  });
  after(() => api.close());
  beforeEach(() => (lines.length = 0));

  it('says who did what and how it went, once', async () => {
    await api.call('/v1/payments?limit=3', { token: 'viewer.acme', headers: { 'x-request-id': 'abc' } });
    expect(lines).to.have.length(1);
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(line).to.include({
      level: 'info',
      app: 'stealth-recovery',
      environment: 'test',
      request_id: 'abc',
      method: 'GET',
      path: '/v1/payments',
      status_code: 200,
      user_id: id,
      org_id: api.orgId,
      user_role: 'viewer',
      message: 'request completed',
    });
    expect(line['duration_ms']).to.be.a('number');
    expect(line).to.have.property('timestamp');
    expect(line).not.to.have.any.keys('req', 'res', 'err', 'reqId');
  });

  it('holds no secret and no personal data on any path, errors included', async () => {
    const json = {
      transaction_ref: 'a',
      amount: 1,
      currency: 'EUR',
      customer: { email, name },
      gateway: 'x',
      failure: { message: name },
    };
    const calls = [
      api.call('/v1/events/payment_failed', { json, token: 'user.acme' }),
      api.call('/v1/events/payment_failed', { json: { ...json, password, card }, token: 'user.acme' }),
      api.call('/v1/events/payment_failed', {
        raw: `{"${name}`,
        token: 'user.acme',
        headers: { 'content-type': 'application/json' },
      }),
      api.call('/v1/auth/login', { json: { email, password } }),
      api.call('/v1/auth/register', {
        json: { email, password, full_name: name, org_name: name, org_slug: 'x' },
      }),
      api.call(`/r/${token}`),
      api.call(`/r/${token}/pay`, { method: 'POST' }),
      api.call(`/v1/payments?transaction_ref=${email}`, { token: 'user.acme' }),
      api.call('/v1/payments', { token }),
      api.call('/v1/payments', { headers: { authorization: `Basic ${password}`, cookie: `s=${token}` } }),
    ];
    const answers = await Promise.all(calls);
    expect(answers.some(({ status }) => status === 500)).to.equal(true);
    expect(lines.length).to.be.greaterThan(10);
    for (const line of lines) for (const canary of canaries) expect(line).not.to.contain(canary);
  });
});

describe('OpenAPI document', () => {
  const document = openApiOf(routes, { version: '1.0.0', publicBaseUrl: 'http://localhost:8000' });
  type Operation = {
    operationId: string;
    summary: string;
    responses: object;
    security: object[];
    parameters: { name: string; in: string }[];
  };
  const operations = Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

  it('names every operation once and declares every path parameter', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).to.equal(names.length);
    for (const { path, operation } of operations) {
      const declared = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      expect(declared).to.have.members([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      expect(operation.summary).not.to.equal('');
      expect(Object.keys(operation.responses)).to.include('500');
    }
  });
  it('refers to components that are there, and keeps nothing but JSON', () => {
    const text = JSON.stringify(document);
    const { schemas } = document['components'] as { schemas: object };
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(schemas).to.have.property(name ?? '');
    expect(text).not.to.contain('~kind');
    expect(Object.keys(schemas)).to.include.members(['Problem', 'Recovery', 'Payment', 'User', 'Session']);
  });
  it('covers the contract', () => {
    const known = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(known).to.include.members([
      'POST /v1/auth/register',
      'POST /v1/auth/login',
      'POST /v1/webhooks/stripe/{org_id}',
      'GET /r/{token}',
      'POST /r/{token}/pay',
      'GET /healthz',
      'GET /readyz',
      'GET /v1/auth/me',
      'GET /v1/auth/org',
      'POST /v1/users',
      'GET /v1/users',
      'PATCH /v1/users/{id}',
      'POST /v1/events/payment_failed',
      'POST /v1/events/payment_succeeded',
      'GET /v1/payments',
      'GET /v1/payments/{id}',
      'GET /v1/recoveries',
      'GET /v1/recoveries/{id}',
      'POST /v1/recoveries/{id}/cancel',
      'GET /v1/recoveries/{id}/explanation',
      'GET /v1/retry/policies/active',
      'PUT /v1/retry/policies/active',
      'GET /v1/rules',
      'POST /v1/rules',
      'GET /v1/rules/{id}',
      'PUT /v1/rules/{id}',
      'PATCH /v1/rules/{id}',
      'DELETE /v1/rules/{id}',
      'PUT /v1/rules/order',
      'GET /v1/analytics/recovery_rate',
      'GET /v1/analytics/revenue_recovered',
      'GET /v1/analytics/attempts_summary',
      'GET /v1/analytics/funnel',
      'GET /v1/analytics/trend',
      'GET /v1/audit/events',
      'GET /v1/declines/classify',
    ]);
  });
});
