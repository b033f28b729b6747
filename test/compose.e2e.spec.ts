/**
 * What `docker compose up` starts, without an engine: every command under its entry point, with the environment of the
 * compose file. Postgres, Kafka and the mail server are real; only their addresses differ.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type ServeRole, serveRoles } from '../src/cli/services.js';
import { type EventStoreDbDouble, startEventStoreDb } from './support/eventStoreDb/double.js';
import { execIn, layOutImage, type Place, readOnlyBut, startContainer } from './support/image.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from './support/kafka/forTests.js';
import { composeFile, imageVariables, instruction, type Service } from './support/packaging.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import type { RecoveryProcess } from './support/recoveryProcess.js';
import { startSmtpServer, type TestSmtpServer } from './support/smtpServer.js';
import { repository } from './support/systemBuild.js';

const compose = composeFile('docker-compose.yml');
const development = composeFile('compose.dev.yml');
const serviceOf = (name: string): Service => compose.services[name] as Service;

describeKafka('the commands of docker compose', () => {
  const topic = uniqueTopic();
  const running = new Map<ServeRole, RecoveryProcess>();
  let db: TestDatabase;
  let log: EventStoreDbDouble;
  let smtp: TestSmtpServer;
  let data: string;
  let image: string;

  before(async function () {
    this.timeout(120_000);
    data = await mkdtemp(join(tmpdir(), 'recovery-test-compose-'));
    [db, log, smtp] = [
      await createTestDatabase({ migrated: false }),
      await startEventStoreDb(),
      await startSmtpServer(),
    ];
    image = await layOutImage();
  });
  after(async () => {
    for (const one of running.values()) one.stop('SIGKILL');
    await Promise.all([...running.values()].map(({ ended }) => ended));
    await Promise.all([smtp.stop(), log.close(), db.drop()]);
    await rm(data, { recursive: true, force: true });
  });

  const elsewhere = async () => ({
    DATABASE_URL: db.url,
    EVENTSTORE_URL: log.url,
    KAFKA_BROKERS: (await kafkaBrokers()).join(),
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(smtp.port),
    DATA_DIR: data,
    HOST: '127.0.0.1',
    PORT: '0',
    HEALTH_PORT: '0',
  });
  const placeOf = async (service: Service): Promise<Place> => {
    const mounts = (service.volumes ?? []).map((one) => one.split(':')[1]);
    const mounted = mounts.includes(imageVariables()['DATA_DIR']);
    const extra = { KAFKA_TOPIC: topic, NODE_OPTIONS: readOnlyBut(mounted ? [data] : []) };
    const DATA_DIR = mounted ? data : join(image, 'not-mounted');
    return { app: image, elsewhere: { ...(await elsewhere()), DATA_DIR }, extra };
  };
  const run = async (name: string): Promise<RecoveryProcess> =>
    startContainer(serviceOf(name), await placeOf(serviceOf(name)));
  const healthOf = async (name: string, port: unknown): Promise<number | null> => {
    const place = { ...(await placeOf(serviceOf(name))), extra: { HEALTH_PORT: String(port) } };
    return execIn(serviceOf(name), place, instruction('HEALTHCHECK')).ended;
  };
  const api = (): RecoveryProcess => running.get('api') as RecoveryProcess;

  it('migrate an empty database', async function () {
    this.timeout(60_000);
    const migrate = await run('migrate');
    expect(await migrate.ended, migrate.said).to.equal(0);
    expect((await db.pool.query(`SELECT FROM pg_tables WHERE tablename = 'events'`)).rowCount).to.equal(1);
  });

  it('start every role, which the health check of the image finds alive', async function () {
    this.timeout(120_000);
    for (const role of serveRoles) running.set(role, await run(role));
    for (const [role, one] of running) {
      const { port } = await one.until(() => one.lines().find(({ message }) => message === 'health'));
      expect(await healthOf(role, port), role).to.equal(0);
    }
    expect(await healthOf('api', 1), 'where nobody answers').to.equal(1);
  });

  it('take a failed payment to its first mail, through the log, Kafka and the saga', async function () {
    this.timeout(90_000);
    const { stdout } = await promisify(execFile)('.github/smoke.sh', [await api().listening()], {
      cwd: repository,
    });
    expect(stdout).to.contain('the first mail is sent');
    expect(smtp.received.map(({ recipients }) => recipients)).to.deep.equal([['jo@example.com']]);
  });

  it('leave nothing that doctor finds fault with', async function () {
    this.timeout(60_000);
    const [service, words] = [serviceOf('api'), ['node', 'bin/recovery.js', 'doctor']];
    const doctor = execIn(service, await placeOf(service), words);
    await doctor.ended;
    const faults = [...doctor.out.matchAll(/^(.+)\tERROR\t/gm)].map(([, check]) => check);
    const ofATestServer = ['fsync', 'full_page_writes'];
    expect(doctor.out).to.match(/^Kafka topic\tok\t/m);
    expect(faults.filter((check = '') => !ofATestServer.includes(check))).to.deep.equal([]);
  });

  it('stop when asked, having written nothing but the secrets in the volume that two of them share', async function () {
    this.timeout(60_000);
    for (const one of running.values()) one.stop();
    for (const [role, one] of running) {
      expect(await one.ended, `${role}: ${one.said}`).to.equal(0);
      expect(
        one.lines().filter(({ level }) => level === 'error'),
        role,
      ).to.deep.equal([]);
    }
    expect(await readdir(data)).to.deep.equal(['secrets.json']);
  });

  describe('for development', () => {
    let checkout: string;
    let role: RecoveryProcess | undefined;
    before(async () => {
      checkout = await mkdtemp(join(tmpdir(), 'recovery-test-checkout-'));
      const volumes = development.services['api']?.volumes ?? [];
      for (const mounted of volumes.map((one) => one.split(':')[0] ?? ''))
        await cp(join(repository, mounted), join(checkout, mounted), { recursive: true });
      for (const held of ['node_modules', 'package.json', 'tsconfig.json'])
        await symlink(join(repository, held), join(checkout, held));
    });
    after(async () => {
      role?.stop('SIGKILL');
      await role?.ended;
      await rm(checkout, { recursive: true, force: true });
    });
    const overridden = (name: string): Service => ({ ...serviceOf(name), ...development.services[name] });
    const place = async (): Promise<Place> => ({
      app: checkout,
      elsewhere: await elsewhere(),
      extra: { KAFKA_TOPIC: topic },
      stage: 'development',
    });
    const start = async (name: string): Promise<RecoveryProcess> =>
      startContainer(overridden(name), await place());

    it('migrate from the sources', async function () {
      this.timeout(60_000);
      const migrate = await start('migrate');
      expect(await migrate.ended, migrate.said).to.equal(0);
    });

    it('give operators their command', async function () {
      this.timeout(60_000);
      const command = execIn(overridden('api'), await place(), [
        'node',
        'bin/recovery.js',
        'migrate',
        'status',
      ]);
      expect(await command.ended, command.said).to.equal(0);
    });

    it('start a role again when a source of its own changes, and stop it when asked', async function () {
      this.timeout(90_000);
      const watched = (role = await start('projector'));
      const starts = () => watched.lines().filter(({ message }) => message === 'health').length;
      await watched.until(() => starts() === 1 || undefined);
      await utimes(join(checkout, 'src/workers/projector.ts'), new Date(), new Date());
      await watched.until(() => starts() === 2 || undefined);
      watched.stop();
      expect(await watched.ended, watched.said).to.equal(0);
    });
  });
});
