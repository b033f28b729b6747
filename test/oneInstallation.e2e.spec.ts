/** An event store belongs to one installation: another one is kept off it, and may take it over when told so. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readConfig } from '../src/config.js';
import { compose } from '../src/main.js';
import { EsdbEventStore } from '../src/infra/eventStoreDb/esdbEventStore.js';
import { eventually } from './support/engine.js';
import { sampleEvents } from './support/eventSamples.js';
import { type EventStoreDbDouble, startEventStoreDb } from './support/eventStoreDb/double.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { startRecovery } from './support/recoveryProcess.js';
import { send } from './support/systemClient.js';

describe('one event store for one installation', function () {
  this.timeout(120_000);
  let log: EventStoreDbDouble;
  let databases: TestDatabase[];
  let dir: string;
  beforeEach(async () => {
    log = await startEventStoreDb();
    databases = await Promise.all([createTestDatabase(), createTestDatabase()]);
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-one-'));
  });
  afterEach(async () => {
    await Promise.all(databases.map((db) => db.drop()));
    await log.close();
    await rm(dir, { recursive: true, force: true });
  });

  const environment = (which: number, url = log.url): NodeJS.ProcessEnv => ({
    DATABASE_URL: databases[which]?.url,
    EVENTSTORE_URL: url,
    DATA_DIR: dir,
    PORT: '0',
    HEALTH_PORT: '0',
  });

  /** Starts a projector as an installation, and stops it once it has used the log. */
  const serving = async (which: number, url = log.url): Promise<string> => {
    const stop = new AbortController();
    const services = await compose(readConfig({ ...environment(which, url), LOG_LEVEL: 'silent' }), 'serve');
    const ended = services.serve({ roles: ['projector'], signal: stop.signal });
    const outcome = ended.then(
      () => 'served',
      (error: unknown) => String(error),
    );
    const used = eventually(() => services.store.head().catch(() => undefined));
    await Promise.race([outcome, used]);
    used.catch(() => undefined);
    stop.abort();
    return outcome.finally(() => services.close());
  };

  const recovery = async (which: number, ...args: string[]) => {
    const one = await startRecovery(args, environment(which));
    return { code: await one.ended, said: one.said };
  };

  const ownerOf = async (url: string): Promise<string | undefined> => {
    const store = new EsdbEventStore({ url });
    const owner = await store.ownership.owner().finally(() => store.close());
    return owner?.installation;
  };

  it('refuses the second, tells doctor, and lets it take over when an operator says so', async () => {
    expect(await serving(0)).to.equal('served');
    expect(await serving(1))
      .to.include('belongs to installation')
      .and.include('recovery events adopt');
    const doctor = await recovery(1, 'doctor', '--json');
    expect(doctor.code).to.equal(1);
    expect(doctor.said).to.include('not to').and.include('recovery events adopt');
    const unsure = await recovery(1, 'events', 'adopt');
    expect([unsure.code, unsure.said.includes('--yes')], unsure.said).to.deep.equal([3, true]);
    expect(await serving(0)).to.equal('served');
    const sure = await recovery(1, 'events', 'adopt', '--yes');
    expect([sure.code, sure.said.includes('belongs to this installation')]).to.deep.equal([0, true]);
    expect(await serving(1)).to.equal('served');
    expect(await serving(0)).to.include('belongs to installation');
  });

  it('keeps it off also when the log was away at the start, and commands that only look', async () => {
    expect(await serving(0)).to.equal('served');
    await log.stop();
    const other = await startRecovery(['serve'], environment(1));
    try {
      const url = await other.listening();
      await log.start();
      await other.until(() => /cannot be used: the log belongs to/.exec(other.said) ?? undefined);
      const account = { email: 'a@b.test', password: 'correct horse battery', org_name: 'B', org_slug: 'b' };
      expect((await send(`${url}/v1/auth/register`, { json: account })).status).to.equal(503);
      expect((await send(`${url}/readyz`)).text).to.include('"event store","ok":false');
    } finally {
      other.stop();
    }
    expect(await other.ended, other.said).to.equal(0);
    const shown = await recovery(1, 'events', 'export');
    expect([shown.code, shown.said.includes('belongs to installation')], shown.said).to.deep.equal([1, true]);
  });

  it('gives a log that is new to exactly one of two that start at once', async () => {
    const outcomes = await Promise.all([serving(0), serving(1)]);
    expect(outcomes.filter((outcome) => outcome === 'served')).to.have.length(1);
    expect(outcomes.join()).to.include('belongs to installation');
  });

  it('gives a copy of the log to the installation that starts on it', async () => {
    expect(await serving(0)).to.equal('served');
    const source = new EsdbEventStore({ url: log.url });
    await source.append(`payment-${randomUUID()}`, 'no_stream', sampleEvents(2));
    await source.close();
    const copy = await startEventStoreDb();
    try {
      const copying = await recovery(1, 'events', 'copy', '--from', log.url, '--to', copy.url);
      expect([copying.code, copying.said.includes('2 events are the same')], copying.said).to.deep.equal([
        0,
        true,
      ]);
      expect(await serving(1, copy.url)).to.equal('served');
      const owners = [log, copy].map(({ url }) => ownerOf(url));
      expect(new Set(await Promise.all(owners)).size).to.equal(2);
    } finally {
      await copy.close();
    }
  });
});
