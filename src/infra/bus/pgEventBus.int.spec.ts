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
import { silentLogger } from '../../kernel/logger.js';
import { PgEventBus } from './pgEventBus.js';

const busOf = ({ store, db }: BusWorld) =>
  new PgEventBus({ store, pool: db.pool, logger: silentLogger, faults: noFaults });

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
});
