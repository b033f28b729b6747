/** One process per role, on a real Kafka, while parts of it are killed or stand still. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { FaultPoint } from '../src/kernel/faults.js';
import { everythingAgrees } from './support/kafka/agreement.js';
import { describeKafka, describeOwnKafka, kafkaBrokers, sharedBroker } from './support/kafka/forTests.js';
import { RoleWorld, SESSION_SECONDS } from './support/kafka/roleWorld.js';

describeOwnKafka('a broker that is killed', () => {
  let world: RoleWorld;
  after(async function () {
    this.timeout(60_000);
    await world.close();
  });

  it('and started again in the middle of 5,000 payments costs nothing but time', async function () {
    this.timeout(500_000);
    const broker = await sharedBroker();
    world = await RoleWorld.create(broker.address);
    await world.start({ roles: ['api', 'projector', 'scheduler'], pace: true });
    await world.start({ roles: ['relay', 'saga'] });
    await world.register([]);
    await world.report(1_500);
    await broker.kill();
    await Promise.all([world.report(1_000), sleep(3_000)]);
    await Promise.all([world.report(2_500), broker.restart()]);
    await world.settled(300_000);
    await everythingAgrees(world.db, 5_000);
  });
});

describeKafka('the roles', () => {
  let world: RoleWorld;
  beforeEach(async () => {
    world = await RoleWorld.create((await kafkaBrokers()).join(','));
  });
  afterEach(async function () {
    this.timeout(60_000);
    await world.close();
  });

  it('survive a saga that stands still past its session and then goes on', async function () {
    this.timeout(240_000);
    await world.start({ roles: ['api', 'projector', 'scheduler', 'relay'], pace: true });
    const sagas = [await world.start({ roles: ['saga'] }), await world.start({ roles: ['saga'] })];
    await world.register(['email']);
    await world.report(100);
    sagas[0]?.stop('SIGSTOP');
    await world.report(150);
    await sleep((SESSION_SECONDS + 2) * 1000);
    sagas[0]?.stop('SIGCONT');
    await world.report(100);
    await world.settled(120_000);
    for (const saga of sagas) await world.stop(saga);
    await everythingAgrees(world.db, 350);
  });

  it('survive a relay that is killed between publishing and its checkpoint, and after', async function () {
    this.timeout(240_000);
    await world.start({ roles: ['api', 'projector', 'scheduler', 'saga'], pace: true });
    await world.register(['email']);
    const kills: [FaultPoint, number][] = [
      ['relay:after-publish', 1],
      ['relay:after-publish', 4],
      ['relay:after-checkpoint', 2],
    ];
    for (const [point, visit] of kills) {
      const relay = await world.start({ roles: ['relay'], kill: { point, visit } });
      while (!relay.over) await world.report(20);
      expect((await relay.ended).signal, relay.log).to.equal('SIGKILL');
    }
    await world.start({ roles: ['relay'] });
    await world.settled(120_000);
    await everythingAgrees(world.db, world.reported);
  });
});
