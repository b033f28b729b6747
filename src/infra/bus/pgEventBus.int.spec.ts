import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  BusWorld,
  eventBusContract,
  GROUP,
  triggersOf,
  until,
} from '../../../test/support/eventBusContract.js';
import { noFaults } from '../../kernel/faults.js';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import { PgEventBus } from './pgEventBus.js';

const busOf = ({ store, db }: BusWorld, logger: Logger = silentLogger) =>
  new PgEventBus({ store, pool: db.pool, logger, faults: noFaults });

describe('PgEventBus', () => {
  eventBusContract((world) => Promise.resolve(() => busOf(world)));
});

describe('PgEventBus on its database', () => {
  let world: BusWorld;
  beforeEach(async () => {
    world = await BusWorld.create();
  });
  afterEach(() => world.close());

  const consume = () => world.consume(busOf(world));

  it('lets one consumer of a group work at a time, and another take over when it is gone', async () => {
    const first = consume();
    await world.fail('a', 't1');
    await until(() => first.seen.length === 1);
    const second = consume();
    await world.fail('a', 't2');
    await until(() => first.seen.length === 2);
    expect(second.seen).to.have.length(0);
    await first.stop();
    await world.fail('a', 't3');
    await until(() => second.seen.length === 1);
  });

  it('survives the loss of its connections', async () => {
    const consumer = consume();
    await world.fail('a', 't1');
    await until(() => consumer.seen.length === 1);
    await world.db.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await sleep(100);
    await until(() =>
      world.fail('a', 't2').then(
        () => true,
        () => false,
      ),
    );
    await until(() => triggersOf(consumer.seen).includes('t2'));
  });

  it('goes on from where an operator has moved its checkpoint', async () => {
    const consumer = consume();
    await world.fail('a', 't1');
    await until(() => consumer.seen.length === 1);
    await sleep(100);
    await world.db.pool.query('UPDATE bus_checkpoints SET position = 0 WHERE consumer_group = $1', [GROUP]);
    await world.fail('a', 't2');
    await until(() => consumer.seen.length >= 4);
    expect(triggersOf(consumer.seen)).to.deep.equal(['t1', 't2', 't1', 't2']);
  });

  describe('with more waiting than it hands out at once', () => {
    const WAITING = 1_100;
    beforeEach(() => Promise.all(Array.from({ length: WAITING }, (_, i) => world.fail(`ref-${i}`, `t${i}`))));
    const slowly = () => sleep(5);
    const keysOf = (...consumers: { seen: readonly { key: string }[] }[]) =>
      new Set(consumers.flatMap(({ seen }) => seen.map(({ key }) => key)));

    it('stops when told to, and loses nothing', async () => {
      const first = world.consume(busOf(world), slowly);
      await until(() => first.seen.length > 20);
      await first.stop();
      expect(first.seen.length).to.be.lessThan(WAITING);
      const second = consume();
      await until(() => keysOf(first, second).size === WAITING);
    });

    it('goes on after losing the connection of its lock, says so, and loses nothing', async () => {
      const warnings: string[] = [];
      const warn = (_fields: unknown, message?: string) => void warnings.push(message ?? '');
      const logger: Logger = { ...silentLogger, warn, child: () => logger };
      const consumer = world.consume(busOf(world, logger), slowly);
      await until(() => consumer.seen.length > 20);
      await world.db.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
      await until(() => keysOf(consumer).size === WAITING);
      expect(warnings).to.include('lead given up');
    });

    it('writes its progress now and then, not for every message', async () => {
      await world.db.pool.query(`
        CREATE TABLE checkpoint_writes (position bigint);
        CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO checkpoint_writes VALUES (NEW.position); RETURN NEW; END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON bus_checkpoints FOR EACH ROW EXECUTE FUNCTION note_write()`);
      const started = performance.now();
      const consumer = world.consume(busOf(world), slowly);
      await until(() => consumer.seen.length === WAITING);
      await consumer.stop();
      const { rows } = await world.db.pool.query<{ position: string }>(
        'SELECT position FROM checkpoint_writes',
      );
      expect(rows.length).to.be.lessThan((performance.now() - started) / 100 + 6);
      expect(Number(rows.at(-1)?.position)).to.be.at.least(WAITING);
    });
  });

  it('waits for its turn on one connection', async () => {
    const leader = consume();
    await world.fail('a', 't1');
    await until(() => leader.seen.length === 1);
    let thrownAway = 0;
    world.db.pool.on('remove', () => thrownAway++);
    const waiting = consume();
    await sleep(2_300);
    expect(thrownAway).to.equal(0);
    await waiting.stop();
  });
});
