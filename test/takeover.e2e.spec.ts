/** Of two processes that project and relay one leads: what becomes of it when that one is frozen or cut off. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { publicEventTypes } from '../src/events/integration/toPublicMessage.js';
import { PgEventStore } from '../src/infra/eventStore/pgEventStore.js';
import { silentLogger as logger } from '../src/kernel/logger.js';
import { ProjectionEngine } from '../src/projections/engine/engine.js';
import { projections } from '../src/projections/index.js';
import { digests, eventually } from './support/engine.js';
import { FaultyProxy } from './support/faultyProxy.js';
import { describeKafka, kafkaBrokers, uniqueTopic } from './support/kafka/forTests.js';
import { consumeRaw, rawKafka } from './support/kafka/raw.js';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { type RecoveryProcess, startRecovery } from './support/recoveryProcess.js';
import { recoveryHistories } from './support/recoveryHistories.js';
import { seedLog } from './support/seedLog.js';
import { send } from './support/systemClient.js';

const TAKE_OVER_MS = 30_000;
const ROLES = ['projector', 'relay'] as const;

/** Writes down every position that goes back. */
const WATCH_POSITIONS = `
  CREATE TABLE went_back (what text, was bigint, became bigint);
  CREATE FUNCTION note_position() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.position < OLD.position THEN
      INSERT INTO went_back VALUES (TG_TABLE_NAME, OLD.position, NEW.position);
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER watched BEFORE UPDATE ON bus_checkpoints FOR EACH ROW EXECUTE FUNCTION note_position();
  CREATE TRIGGER watched BEFORE UPDATE ON projection_generations FOR EACH ROW EXECUTE FUNCTION note_position();`;

const POSITIONS = `
  SELECT name, position FROM projection_generations WHERE state = 'active'
  UNION ALL SELECT consumer_group, position FROM bus_checkpoints ORDER BY name`;

/** As if an older release had folded it. */
const MAKE_OLDER = `
  UPDATE projection_generations SET fold_version = fold_version - 1, epoch = epoch + 1
   WHERE name = 'payments' AND state = 'active'`;
const WAITING = `SELECT FROM projection_generations WHERE name = 'payments' AND phase = 'waiting for lock'`;

/** A process, and the way it takes to the database. */
interface Instance {
  readonly process: RecoveryProcess;
  readonly proxy: FaultyProxy;
}

describeKafka('of two processes that project and relay', () => {
  const topic = uniqueTopic();
  let db: TestDatabase;
  let dir: string;
  const instances: Instance[] = [];
  let pair: readonly [Instance, Instance];
  let seeds = 0;

  const serve = async (): Promise<Instance> => {
    const url = new URL(db.url);
    const proxy = new FaultyProxy(Number(url.port));
    await proxy.start();
    url.port = String(proxy.port);
    const process = await startRecovery(['serve', ...ROLES.flatMap((role) => ['--role', role])], {
      DATABASE_URL: url.href,
      DATA_DIR: dir,
      HEALTH_PORT: '0',
      KAFKA_BROKERS: (await kafkaBrokers()).join(),
      KAFKA_TOPIC: topic,
    });
    instances.push({ process, proxy });
    return { process, proxy };
  };
  const timesLeading = ({ process }: Instance): number =>
    process.lines().filter(({ message }) => message === 'leading').length;
  const statesOf = async ({ process }: Instance): Promise<readonly (string | undefined)[]> => {
    const { port } = await process.until(() => process.lines().find(({ message }) => message === 'health'));
    const { body } = await send<{ checks: { name: string; detail?: string }[] }>(
      `http://127.0.0.1:${port}/readyz`,
    );
    return ROLES.map((role) => body.checks.find(({ name }) => name === `role ${role}`)?.detail);
  };
  const all =
    (state: string) =>
    async (instance: Instance): Promise<boolean> =>
      (await statesOf(instance)).every((detail) => detail?.startsWith(state));
  const leads = all('leading');
  const standsBy = all('standing by');

  const grow = (recoveries: number): Promise<void> =>
    seedLog(db.pool, recoveryHistories({ seed: ++seeds, recoveries }));
  const positions = async (): Promise<ReadonlyMap<string, bigint>> => {
    const { rows } = await db.pool.query<{ name: string; position: string }>(POSITIONS);
    return new Map(rows.map(({ name, position }) => [name, BigInt(position)]));
  };
  const beyond = (before: ReadonlyMap<string, bigint>) => async (): Promise<boolean> =>
    [...(await positions())].every(([name, position]) => position > (before.get(name) ?? 0n));
  const atHead = async (): Promise<boolean> => {
    const { rows } = await db.pool.query<{ position: string }>('SELECT position FROM event_log_head');
    return [...(await positions()).values()].every((position) => position === BigInt(rows[0]?.position ?? 0));
  };

  before(async function () {
    this.timeout(180_000);
    db = await createTestDatabase();
    dir = await mkdtemp(join(tmpdir(), 'recovery-test-takeover-'));
    await db.pool.query(WATCH_POSITIONS);
    const first = await serve();
    await eventually(() => leads(first), 60_000);
    const second = await serve();
    await eventually(() => standsBy(second), 60_000);
    pair = [first, second];
  });
  after(async () => {
    for (const { process } of instances) process.stop('SIGKILL');
    await Promise.all(instances.map(({ process }) => process.ended));
    for (const { proxy } of instances) await proxy.stop();
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Whoever leads is lost in the middle of its work: the other goes on. */
  const takesOver = async (lose: (active: Instance, standBy: Instance) => unknown): Promise<Instance> => {
    const [one, other] = pair;
    const [active, standBy] = (await leads(one)) ? [one, other] : [other, one];
    await eventually(() => standsBy(standBy));
    const [start, led] = [await positions(), timesLeading(standBy)];
    await grow(300);
    await eventually(beyond(start));
    await lose(active, standBy);
    await sleep(500); // what it had sent is done
    const left = await positions();
    await grow(20);
    await eventually(beyond(left), TAKE_OVER_MS);
    expect(timesLeading(standBy)).to.equal(led + ROLES.length);
    return active;
  };

  /** It was away while others went on, and goes on in the middle of their work. */
  const comesBack = async (lost: Instance, come: () => void): Promise<void> => {
    const start = await positions();
    await grow(300);
    await eventually(beyond(start));
    come();
    await eventually(() => standsBy(lost));
    await eventually(atHead);
  };

  const nothingWentWrong = async (): Promise<void> => {
    expect((await db.pool.query('SELECT * FROM went_back')).rows).to.deep.equal([]);
    await rebuildAgrees();
    await everyMessageIsPublished();
    for (const { process } of instances)
      expect(process.lines().filter(({ level }) => level === 'error' || level === 'fatal')).to.deep.equal([]);
  };
  const rebuildAgrees = async (): Promise<void> => {
    const store = new PgEventStore({ pool: db.pool });
    const engine = new ProjectionEngine({ store, pool: db.pool, projections, logger });
    const live = await digests(db.pool, engine);
    await engine.rebuild('all');
    expect(await digests(db.pool, engine)).to.deep.equal(live);
    await store.close();
  };
  const everyMessageIsPublished = async (): Promise<void> => {
    const kafka = rawKafka(await kafkaBrokers());
    const admin = kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const messages = await consumeRaw(
      kafka,
      topic,
      offsets.reduce((sum, { high }) => sum + Number(high), 0),
    );
    const { rows } = await db.pool.query<{ event_id: string }>(
      'SELECT event_id FROM events WHERE type = ANY ($1)',
      [Object.values(publicEventTypes)],
    );
    const published = new Set(messages.map(({ headers }) => headers['ce_id']));
    expect([...published]).to.have.members(rows.map(({ event_id }) => event_id));
  };

  it('the other goes on for one that is frozen, which does no harm when it thaws, and stands by', async function () {
    this.timeout(120_000);
    const frozen = await takesOver(({ process }) => process.stop('SIGSTOP'));
    await comesBack(frozen, () => frozen.process.stop('SIGCONT'));
    await nothingWentWrong();
  });

  it('the other goes on for one that is cut off, even over connections that have fallen silent', async function () {
    this.timeout(120_000);
    const cutOff = await takesOver((active, standBy) => {
      standBy.proxy.vanish();
      active.proxy.hang();
    });
    await comesBack(cutOff, () => cutOff.proxy.resume());
    await nothingWentWrong();
  });

  /** A rebuild that somebody who reads the old rows keeps from its end, until it is lost. */
  const rebuilding = async (lose: () => void): Promise<void> => {
    const reader = await db.pool.connect();
    await reader.query('BEGIN; SELECT FROM payments LIMIT 1');
    await db.pool.query(MAKE_OLDER);
    await eventually(async () => (await db.pool.query(WAITING)).rowCount === 1, 30_000);
    lose();
    await reader.query('ROLLBACK');
    reader.release();
  };

  it('the other ends the rebuild that one was at when it froze', async function () {
    this.timeout(120_000);
    const frozen = await takesOver(({ process }) => rebuilding(() => process.stop('SIGSTOP')));
    await comesBack(frozen, () => frozen.process.stop('SIGCONT'));
    await nothingWentWrong();
  });
});
