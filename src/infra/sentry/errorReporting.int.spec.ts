import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { startApi } from '../../../test/support/api.js';
import { RecoveryProcess } from '../../../test/support/recoveryProcess.js';
import { buildOnce } from '../../../test/support/systemBuild.js';
import type { ErrorReporting } from './errorReporting.js';
import { startErrorReporting } from './errorReporting.js';

const canaries = ['ada@canary.example', 'Ada Canary', 'canary-password', '4242424242424242', 'canaryToken42'];

describe('error reporting', () => {
  const envelopes: string[] = [];
  let server: Server;
  let reporting: ErrorReporting | undefined;
  before(async () => {
    server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const bytes = Buffer.concat(chunks);
        envelopes.push((req.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString());
        res.end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    reporting = await startErrorReporting({
      sentryDsn: `http://public@127.0.0.1:${port}/1`,
      sentryTracesSampleRate: 1,
      sentryProfilesSampleRate: 0.25,
      environment: 'test',
      release: '1.2.3',
    });
  });
  after(async () => {
    await reporting?.close();
    server.closeAllConnections();
    server.close();
  });

  it('does nothing without a DSN', async () => {
    const config = {
      sentryDsn: undefined,
      sentryTracesSampleRate: 1,
      sentryProfilesSampleRate: 1,
      environment: 'test',
    };
    expect(await startErrorReporting(config)).to.equal(undefined);
  });

  it('takes the rates from the configuration', async () => {
    const { getClient } = await import('@sentry/node');
    expect(getClient()?.getOptions()).to.include({ tracesSampleRate: 1, profileSessionSampleRate: 0.25 });
  });

  it('sends what nobody caught, and ends the process, without its data', async () => {
    const { port } = server.address() as AddressInfo;
    for (const how of ['exception', 'rejection']) {
      envelopes.length = 0;
      const child = new RecoveryProcess(
        process.execPath,
        [join(await buildOnce(), 'test/support/uncaughtChild.js'), how, ...canaries],
        { SENTRY_DSN: `http://public@127.0.0.1:${port}/1` },
      );
      expect(await child.ended, child.said).to.equal(1);
      expect(child.lines().map(({ level, message }) => [level, message])).to.deep.equal([
        ['fatal', 'uncaught error'],
      ]);
      const sent = envelopes.join('\n');
      expect(sent).to.contain('"type":"event"').and.contain('"component":"process"');
      for (const canary of canaries) expect(sent + child.said).not.to.contain(canary);
    }
  });

  it('traces none at a rate of 0, and still sends errors', async () => {
    const { port } = server.address() as AddressInfo;
    envelopes.length = 0;
    const child = new RecoveryProcess(
      process.execPath,
      [join(await buildOnce(), 'test/support/uncaughtChild.js'), 'traced'],
      { SENTRY_DSN: `http://public@127.0.0.1:${port}/1`, SENTRY_TRACES_SAMPLE_RATE: '0' },
    );
    await child.ended;
    expect(envelopes.join('\n')).to.contain('"type":"event"').and.not.contain('"type":"transaction"');
  });

  it('sends errors and traces of requests without secrets and personal data', async () => {
    const [email = '', name = '', password = '', card = '', token = ''] = canaries;
    const broken = Object.assign(new Error(`duplicate key "${name}" of ${email}, card ${card}`), {
      code: '23505',
      detail: `Key (email)=(${email})`,
      parameters: [password],
    });
    const api = await startApi({
      ...(reporting && { trace: reporting.trace.bind(reporting) }),
      onError: (error, request) => reporting?.captureError(error, request),
      db: { query: () => Promise.reject(broken) } as never,
    });
    const answer = await api.call(`/v1/payments?transaction_ref=${email}`, {
      token: 'user.acme',
      headers: { 'x-request-id': 'req-7', cookie: `s=${token}`, 'user-agent': name },
    });
    expect(answer.status).to.equal(500);
    expect(answer.text).not.to.contain(email);
    await api.call(`/r/${token}`);
    await api.call('/v1/payments/7c9e6679-7425-40de-944b-e07fc1f90ae7', { token: 'user.acme' });
    await api.close();
    await reporting?.close();

    const sent = envelopes.join('\n');
    expect(sent).to.contain('"type":"event"').and.contain('"type":"transaction"');
    expect(sent).to.contain('"request_id":"req-7"').and.contain('"path":"/v1/payments"');
    expect(sent).to.contain('GET /v1/payments/{id}').and.contain('GET /r/[token]');
    expect(sent).to.contain('duplicate key').and.contain('"release":"1.2.3"');
    for (const canary of canaries) expect(sent).not.to.contain(canary);
    for (const field of ['"request":', '"breadcrumbs":', '"user":', '"vars":', '"server_name":'])
      expect(sent).not.to.contain(field);
  });
});
