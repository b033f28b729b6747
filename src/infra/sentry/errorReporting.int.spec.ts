import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { startApi } from '../../../test/support/api.js';
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
    const config = { sentryDsn: undefined, sentryTracesSampleRate: 1, environment: 'test' };
    expect(await startErrorReporting(config)).to.equal(undefined);
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
