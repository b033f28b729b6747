/** One process per role: how it tells of itself, how it stops, and who goes on when one is killed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ServeRole } from '../src/cli/services.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../src/kernel/logger.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { digests, eventually, untilCaughtUp } from './support/engine.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from './support/kafka/forTests.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { type RecoveryProcess, startRecovery } from './support/recoveryProcess.js';
import { recoveryHistories } from './support/recoveryHistories.js';
import { seedLog } from './support/seedLog.js';
import { send } from './support/systemClient.js';

interface Readiness {
  readonly status: string;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

const STOP_MS = 25_000;
const TAKE_OVER_MS = 30_000;

describe('a process per role', function () {
  this.timeout(120_000);
  let db: TestDatabase;
  let dir: string;
  let running: RecoveryProcess[] = [];
  beforeEach(async () => {
    db = await createTestDatabase();
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-roles-'));
  });
  afterEach(async () => {
    for (const one of running) one.stop('SIGKILL');
    await Promise.all(running.map(({ ended }) => ended));
    running = [];
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });

  const serve = async (roles: readonly ServeRole[], env: NodeJS.ProcessEnv = {}) => {
    const args = roles.flatMap((role) => ['--role', role]);
    const base = { PORT: '0', HEALTH_PORT: '0', DATABASE_URL: db.url, DATA_DIR: dir };
    const one = await startRecovery(['serve', ...args], { ...base, ...env });
    running.push(one);
    return one;
  };
  const healthOf = async (one: RecoveryProcess): Promise<string> => {
    const { port } = await one.until(() => one.lines().find(({ message }) => message === 'health'));
    return `http://127.0.0.1:${port}`;
  };
  const readinessOf = async (one: RecoveryProcess) => send<Readiness>(`${await healthOf(one)}/readyz`);
  const stateOf = async (one: RecoveryProcess, role: ServeRole): Promise<string | undefined> =>
    (await readinessOf(one)).body.checks.find(({ name }) => name === `role ${role}`)?.detail;
  const ready = (one: RecoveryProcess) =>
    eventually(async () => {
      const reply = await readinessOf(one);
      return reply.status === 200 && reply;
    });
  const stops = async (one: RecoveryProcess): Promise<void> => {
    const asked = performance.now();
    one.stop();
    expect(await one.ended, one.said).to.equal(0);
    expect(performance.now() - asked).to.be.lessThan(STOP_MS);
    expect(one.lines().filter(({ level }) => level === 'error' || level === 'fatal')).to.deep.equal([]);
  };

  /** @param state what it says of itself once it is ready */
  const livesAndStops = async (role: ServeRole, state: RegExp, env: NodeJS.ProcessEnv = {}) => {
    const one = await serve([role], env);
    const { body } = await ready(one);
    expect(body.checks.map(({ name }) => name)).to.include.members(['database', 'migrations']);
    await eventually(async () => state.test((await stateOf(one, role)) ?? ''));
    const url = await healthOf(one);
    expect((await send(`${url}/healthz`)).body).to.deep.equal({ status: 'ok' });
    expect((await send(`${url}/v1/payments`)).status).to.equal(404);
    await stops(one);
  };

  const whoLeads = (role: ServeRole): Promise<readonly boolean[]> =>
    Promise.all(running.map(async (one) => (await stateOf(one, role))?.startsWith('leading') === true));
  const someoneLeads = (role: ServeRole) =>
    eventually(async () => (await whoLeads(role)).includes(true), TAKE_OVER_MS);

  /** Two processes, of which the first leads. */
  const twoOf = async (role: ServeRole, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    await serve([role], env);
    await someoneLeads(role);
    await ready(await serve([role], env));
    expect(await whoLeads(role)).to.deep.equal([true, false]);
  };
  const killFirst = async (): Promise<void> => {
    const [first] = running.splice(0, 1);
    first?.stop('SIGKILL');
    await first?.ended;
  };

  for (const [role, state] of [
    ['projector', /^leading$/],
    ['saga', /^working, 0 events behind$/],
    ['scheduler', /^working$/],
  ] as const)
    it(`${role} tells how it is, and stops when asked`, () => livesAndStops(role, state));

  describeKafka('on Kafka', () => {
    const env = async (): Promise<NodeJS.ProcessEnv> => ({
      KAFKA_BROKERS: (await kafkaBrokers()).join(),
      KAFKA_TOPIC: uniqueTopic(),
    });
    it('relay tells how it is, and stops when asked', async () =>
      livesAndStops('relay', /^leading, 0 events behind$/, await env()));
    it('saga tells how it is, and stops when asked', async () =>
      livesAndStops('saga', /^working$/, await env()));
    it('of two relays the other goes on when one is killed', async () => {
      await twoOf('relay', await env());
      await killFirst();
      await someoneLeads('relay');
    });
  });

  it('without its bus a relay is not ready, and stops all the same', async () => {
    const one = await serve(['relay'], { KAFKA_BROKERS: '127.0.0.1:1' });
    await eventually(async () => (await stateOf(one, 'relay')) === 'starting, 0 events behind');
    const { status, body } = await readinessOf(one);
    expect(status).to.equal(503);
    expect(body.checks.filter(({ ok }) => !ok).map(({ name }) => name)).to.deep.equal([
      'Kafka',
      'role relay',
    ]);
    await stops(one);
  });

  it('runs several roles in one process, and the API with a health port of its own', async () => {
    const one = await serve(['saga', 'scheduler', 'api']);
    await ready(one);
    const { body } = await send<Readiness>(`${await one.listening()}/readyz`);
    expect(body.checks.map(({ name }) => name)).to.include.members(['role saga', 'role scheduler']);
    await stops(one);
  });

  it('says which port is taken, and which option takes another', async () => {
    const first = await serve(['saga']);
    const port = new URL(await healthOf(first)).port;
    const second = await serve(['scheduler'], { HEALTH_PORT: port });
    expect(await second.ended).to.equal(1);
    expect(second.err)
      .to.contain(`Port ${port} is in use`)
      .and.contain(`--health-port ${Number(port) + 1}`);
  });

  describe('two projectors', () => {
    let store: PgEventStore;
    let engine: ProjectionEngine;
    beforeEach(() => {
      store = new PgEventStore({ pool: db.pool });
      engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
    });
    afterEach(() => store.close());

    it('elect one; when it is killed the other goes on, and nothing is folded twice', async () => {
      await twoOf('projector');
      await seedLog(db.pool, recoveryHistories({ seed: 1, recoveries: 40 }));
      await untilCaughtUp(engine);
      await seedLog(db.pool, recoveryHistories({ seed: 2, recoveries: 800 }));
      await killFirst(); // with that in hand
      await someoneLeads('projector');
      await untilCaughtUp(engine);
      const live = await digests(db.pool, engine);
      await engine.rebuild('all');
      expect(await digests(db.pool, engine)).to.deep.equal(live);
    });
  });
});
