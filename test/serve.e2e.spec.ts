import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { productionEnv, RecoveryProcess, startRecovery } from './support/recoveryProcess.js';
import { buildOnce } from './support/systemBuild.js';
import { send } from './support/systemClient.js';

const account = {
  email: 'owner@serve.test',
  password: 'correct horse battery',
  org_name: 'Serve',
  org_slug: 'serve',
};

describe('recovery serve', function () {
  this.timeout(90_000);
  let db: TestDatabase;
  let dir: string;
  let running: RecoveryProcess[] = [];
  before(async () => {
    await buildOnce();
  });
  beforeEach(async () => {
    db = await createTestDatabase({ migrated: false });
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-serve-'));
    running = [];
  });
  afterEach(async () => {
    for (const one of running) one.stop('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const serve = async (env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => {
    const one = await startRecovery(['serve', ...args], {
      PORT: '0',
      DATABASE_URL: db.url,
      DATA_DIR: dir,
      ...env,
    });
    running.push(one);
    return one;
  };
  const tables = async (): Promise<number> => {
    const { rowCount } = await db.pool.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`);
    return rowCount ?? 0;
  };
  /** It ends without having touched the database or the disk. */
  const refused = async (env: NodeJS.ProcessEnv, args: readonly string[] = []): Promise<RecoveryProcess> => {
    const one = await serve(env, args);
    expect(await one.ended, one.said).to.be.greaterThan(0);
    expect(await tables()).to.equal(0);
    expect(await readdir(dir)).to.deep.equal([]);
    return one;
  };

  describe('refuses before it opens, makes or changes anything', () => {
    it('weak secrets outside development, all at once', async () => {
      const weak = { ENVIRONMENT: 'production', JWT_SECRET: 'changeme' };
      for (const DATABASE_URL of [db.url, '']) {
        const { err } = await refused({ ...weak, DATABASE_URL });
        for (const name of ['JWT_SECRET', 'MASTER_KEY', 'PASSWORD_PEPPER', 'SMTP_HOST', 'PUBLIC_BASE_URL'])
          expect(err).to.contain(name);
        expect(err).not.to.contain('changeme');
      }
    });
    it('the role that this set-up does not have', async () => {
      expect((await refused({}, ['--role', 'relay'])).err).to.contain('Kafka');
    });
    it('settings of Kafka that do not fit together', async () => {
      const kafka = {
        KAFKA_BROKERS: '127.0.0.1:1',
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SSL_CA_FILE: '/none',
      };
      for (const role of ['relay', 'saga', 'api']) {
        const { err } = await refused(kafka, ['--role', role]);
        for (const fix of ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SSL=true'])
          expect(err).to.contain(fix);
      }
    });
    it('one port for two purposes', async () => {
      const { err } = await refused({ PORT: '8001', HEALTH_PORT: '8001' });
      expect(err).to.contain('PORT and HEALTH_PORT are both 8001');
    });
    it('a port that is taken', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => other.once('listening', resolve));
      const { port } = other.address() as AddressInfo;
      const { err } = await refused({ PORT: String(port) }).finally(() => other.close());
      expect(err)
        .to.contain(`Port ${port} is in use.`)
        .and.contain(`recovery serve --port ${port + 1}`);
    });
    it('a server that loses data, in production', async () => {
      expect((await refused(productionEnv())).err).to.contain('fsync');
    });
    it('an empty database that it may not migrate', async () => {
      expect((await refused({ MIGRATE_ON_START: 'false' })).err).to.contain('recovery migrate up');
    });
  });

  it('asks only for what the chosen roles need', async () => {
    const staging = {
      ...productionEnv(),
      ENVIRONMENT: 'staging',
      JWT_SECRET: '',
      SMTP_HOST: '',
      HEALTH_PORT: '0',
    };
    const one = await serve(staging, ['--role', 'projector']);
    await one.until(() => (one.lines().some(({ message }) => message === 'migrated') ? true : undefined));
    one.stop();
    expect(await one.ended, one.said).to.equal(0);
  });

  it('takes a database that was migrated before', async () => {
    const migrated = await createTestDatabase();
    const one = await serve({ MIGRATE_ON_START: 'false', DATABASE_URL: migrated.url });
    expect((await send(`${await one.listening()}/readyz`)).status).to.equal(200);
    one.stop();
    expect(await one.ended).to.equal(0);
    await migrated.drop();
  });

  it('keeps the pages of development to development', async () => {
    const one = await serve({ ...productionEnv(), ENVIRONMENT: 'staging', SMTP_HOST: '' });
    const url = await one.listening();
    expect((await send(`${url}/dev/mail`)).status).to.equal(404);
    const warning = one.lines().find(({ level }) => level === 'warn');
    expect(warning).to.include({ message: 'configuration', check: 'mail' });
  });

  it('serves this machine only in development, on a port that links and document know', async () => {
    const one = await serve();
    const url = await one.listening();
    const { body } = await send<{ servers: unknown }>(`${url}/openapi.json`);
    expect(body.servers).to.deep.equal([{ url: url.replace('127.0.0.1', 'localhost') }]);
    expect((await send(`${url}/dev/mail`)).status).to.equal(200);
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal);
    if (outside) {
      const reached = fetch(`http://${outside.address}:${new URL(url).port}/healthz`);
      expect(await reached.catch(() => 'refused')).to.equal('refused');
    }
    const open = await serve({ HOST: '0.0.0.0' });
    await open.listening();
    expect(open.lines().find(({ message }) => message === 'listening')).to.include({ host: '0.0.0.0' });
  });

  it('answers the request in flight before it ends', async () => {
    const one = await serve();
    const url = await one.listening();
    const body = JSON.stringify(account);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      `POST /v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 10)}`,
    );
    await send(`${url}/healthz`); // the request before it has arrived by now
    one.stop();
    const refused = () =>
      fetch(`${url}/healthz`).then(
        () => undefined,
        () => true,
      );
    while ((await refused()) !== true) await new Promise((resolve) => setTimeout(resolve, 20));
    socket.write(body.slice(10));
    await closed;
    expect(answer)
      .to.match(/^HTTP\/1.1 201 /)
      .and.contain('access_token');
    expect(await one.ended, one.said).to.equal(0);
    expect(one.lines().filter(({ level }) => level === 'error' || level === 'fatal')).to.deep.equal([]);
  });

  it('is what `npm start` runs', async () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: { start: string };
    };
    const [node, ...args] = manifest.scripts.start.split(' ');
    expect(node).to.equal('node');
    const env = { PORT: '0', DATABASE_URL: db.url, DATA_DIR: dir };
    const one = new RecoveryProcess(process.execPath, args, env, root);
    running.push(one);
    expect((await send(`${await one.listening()}/readyz`)).status).to.equal(200);
    one.stop('SIGINT');
    expect(await one.ended, one.said).to.equal(0);
  });
});
