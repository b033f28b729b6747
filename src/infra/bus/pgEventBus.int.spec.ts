import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { recordPaymentFailure } from '../../commands/payment/record.js';
import type { PublicMessage } from '../../events/integration/message.js';
import { noFaults } from '../../kernel/faults.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import { PgEventStore } from '../eventStore/pgEventStore.js';
import { PgEventBus } from './pgEventBus.js';

const ORG = deriveId('bus-test') as OrgId;
const AT = '2026-03-01T10:00:00.000Z';

describe('PgEventBus', () => {
  let db: TestDatabase;
  let store: PgEventStore;

  beforeEach(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  afterEach(async () => {
    await store.close();
    await db.drop();
  });

  const fail = (ref: string, trigger: string) =>
    recordPaymentFailure(
      store,
      {
        transaction_ref: ref,
        amount: 100,
        currency: 'EUR',
        customer: { email: 'ada@example.com' },
        gateway: 'sandbox',
        failure: { code: trigger },
        trigger_id: trigger,
        failed_at: AT,
      },
      {
        principal: { actor: { type: 'system', id: 't' }, orgId: ORG },
        correlationId: 'c',
        causationId: 'c',
        now: AT,
      },
    );

  /** A consumer of the group until stopped; what it handled is in `seen`. */
  const consume = (
    handle: (message: PublicMessage) => Promise<void> = async () => undefined,
    logger: Logger = silentLogger,
  ) => {
    const stop = new AbortController();
    const seen: PublicMessage[] = [];
    const bus = new PgEventBus({ store, pool: db.pool, logger, faults: noFaults });
    const running = bus.consume({
      group: 'g',
      types: ['payment.failed'],
      concurrency: 8,
      signal: stop.signal,
      handle: async (message) => {
        await handle(message);
        seen.push(message);
      },
    });
    return { seen, stop: () => (stop.abort(), running) };
  };

  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !condition(); i++) await sleep(10);
    expect(condition()).to.equal(true);
  };

  it('hands over every message once, those of one payment in order, and nothing personal', async () => {
    for (let i = 0; i < 40; i++) await fail(`ref-${i % 8}`, `t${i}`);
    const consumer = consume(() => sleep(Math.random() * 4));
    await until(() => consumer.seen.length === 40);
    await consumer.stop();
    const keys = new Set(consumer.seen.map(({ key }) => key));
    expect(keys.size).to.equal(8);
    for (const key of keys) {
      const positions = consumer.seen
        .filter((message) => message.key === key)
        .map(({ position }) => Number(position));
      expect(positions).to.deep.equal([...positions].sort((a, b) => a - b));
    }
    expect(JSON.stringify(consumer.seen)).to.not.contain('ada@example.com');
  });

  it('goes on where it stopped', async () => {
    await fail('a', 't1');
    const first = consume();
    await until(() => first.seen.length === 1);
    await first.stop();
    await fail('a', 't2');
    const second = consume();
    await until(() => second.seen.length === 1);
    await second.stop();
    expect(second.seen[0]?.data).to.include({ trigger_id: 't2' });
  });

  it('hands a failed message over again and lets others pass it; progress waits for it', async () => {
    let broken = true;
    await fail('bad', 't1');
    await fail('good', 't2');
    const consumer = consume(async ({ data }) => {
      await Promise.resolve();
      if (broken && 'trigger_id' in data && data.trigger_id === 't1') throw new Error('broken');
    });
    await until(() => consumer.seen.length === 1);
    expect(consumer.seen[0]?.data).to.include({ trigger_id: 't2' });
    await consumer.stop();
    const { rows } = await db.pool.query<{ position: string }>('SELECT position FROM bus_checkpoints');
    expect(Number(rows[0]?.position ?? 0)).to.equal(0);
    broken = false;
    const again = consume();
    await until(() => again.seen.length === 2);
    await again.stop();
  });

  it('lets one consumer of a group work at a time, and another take over when it is gone', async () => {
    const first = consume();
    await fail('a', 't1');
    await until(() => first.seen.length === 1);
    const second = consume();
    await fail('a', 't2');
    await until(() => first.seen.length === 2);
    expect(second.seen).to.have.length(0);
    await first.stop();
    await fail('a', 't3');
    await until(() => second.seen.length === 1);
    await second.stop();
  });

  it('survives the loss of its connections', async () => {
    const consumer = consume();
    await fail('a', 't1');
    await until(() => consumer.seen.length === 1);
    await db.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await sleep(100);
    for (let tries = 0; tries < 20; tries++) {
      try {
        await fail('a', 't2');
        break;
      } catch {
        await sleep(100);
      }
    }
    await until(() => consumer.seen.some(({ data }) => 'trigger_id' in data && data.trigger_id === 't2'));
    await consumer.stop();
  });

  describe('with more waiting than it hands out at once', () => {
    const WAITING = 1_100;
    beforeEach(() => Promise.all(Array.from({ length: WAITING }, (_, i) => fail(`ref-${i}`, `t${i}`))));

    it('stops when told to, and loses nothing', async () => {
      const first = consume(() => sleep(5));
      await until(() => first.seen.length > 20);
      await first.stop();
      expect(first.seen.length).to.be.lessThan(WAITING - 1_000 + 100);
      const second = consume();
      await until(() => new Set([...first.seen, ...second.seen].map(({ key }) => key)).size === WAITING);
      await second.stop();
    });

    it('goes on after losing the connection of its lock, says so, and loses nothing', async () => {
      const warnings: string[] = [];
      const consumer = consume(() => sleep(5), {
        ...silentLogger,
        warn: (_fields: unknown, message?: string) => void warnings.push(message ?? ''),
      } as Logger);
      await until(() => consumer.seen.length > 20);
      await db.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
      await until(() => new Set(consumer.seen.map(({ key }) => key)).size === WAITING);
      await consumer.stop();
      expect(warnings).to.include('bus consumer interrupted');
    });

    it('writes its progress now and then, not for every message', async () => {
      await db.pool.query(`
        CREATE TABLE checkpoint_writes (position bigint);
        CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO checkpoint_writes VALUES (NEW.position); RETURN NEW; END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON bus_checkpoints FOR EACH ROW EXECUTE FUNCTION note_write()`);
      const started = performance.now();
      const consumer = consume(() => sleep(5));
      await until(() => consumer.seen.length === WAITING);
      await consumer.stop();
      const { rows } = await db.pool.query<{ position: string }>('SELECT position FROM checkpoint_writes');
      expect(rows.length).to.be.lessThan((performance.now() - started) / 100 + 5);
      expect(Number(rows.at(-1)?.position)).to.be.at.least(WAITING);
    });
  });

  it('never moves its progress back', async () => {
    await db.pool.query(`INSERT INTO bus_checkpoints (consumer_group, position) VALUES ('g', 0)`);
    await fail('a', 't1');
    const consumer = consume(async () => {
      await db.pool.query('UPDATE bus_checkpoints SET position = 500'); // somebody else was faster
    });
    await until(() => consumer.seen.length === 1);
    await consumer.stop();
    const { rows } = await db.pool.query<{ position: string }>('SELECT position FROM bus_checkpoints');
    expect(rows[0]?.position).to.equal('500');
  });

  it('waits for its turn on one connection', async () => {
    const leader = consume();
    await fail('a', 't1');
    await until(() => leader.seen.length === 1);
    let thrownAway = 0;
    db.pool.on('remove', () => thrownAway++);
    const waiting = consume();
    await sleep(2_300);
    expect(thrownAway).to.equal(0);
    await waiting.stop();
    await leader.stop();
  });
});
