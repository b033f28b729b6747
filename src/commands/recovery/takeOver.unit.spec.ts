import { expect } from 'chai';
import { actWorld, ActWorld, LedgerPsp, ORG, PAYMENT_ID } from '../../../test/support/actWorld.js';
import { policy, T0 } from '../../../test/support/recoverySamples.js';
import { toPublicMessage } from '../../events/integration/toPublicMessage.js';
import { paymentStream } from '../../events/payment.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import type { StoppedRetries } from '../../kernel/ports.js';
import { announcePspRetries } from '../payment/record.js';
import { rulesReader } from '../rules/reader.js';
import { tellPspRetries } from './tellPspRetries.js';

const SOFT = { decline_code: 'insufficient_funds' };
const NEXT = { psp_retries: { next_at: plus(T0, 3 * DAY) } };

const retriedByPsp = (psp_retries: 'watch' | 'take_over'): Promise<ActWorld> =>
  actWorld(SOFT, [], NEXT, { ...policy, psp_retries });
const mail = ['RecoveryStarted', 'NotificationScheduled'];
const psp = { actor: { type: 'psp', id: 's' }, orgId: ORG } as const;

const told = async (world: ActWorld, trigger_id: string, next_at?: string): Promise<void> => {
  const sources = { store: world.store, rulesOf: rulesReader(world.store) };
  const psp_retries = next_at === undefined ? {} : { next_at };
  const context = { ...world.context(), principal: psp };
  await tellPspRetries(sources, { transaction_ref: 'inv_1', trigger_id, psp_retries }, context);
};

describe("the PSP's own retries", () => {
  describe('watched', () => {
    it('leave ours out: mails go, nothing is charged', async () => {
      const world = await retriedByPsp('watch');
      expect(await world.types()).to.deep.equal(mail);
      for (let day = 0; day < 8; day++) {
        world.advance(DAY);
        await world.run();
      }
      expect(world.psp.asked).to.not.include.members(['charge']);
      expect(world.mails).to.have.length(1);
    });

    it('end with the last mail once the PSP gave up, and still nothing is charged', async () => {
      const world = await retriedByPsp('watch');
      world.advance(DAY);
      await world.run();
      await world.fail(SOFT, { psp_retries: {} });
      expect((await world.types()).slice(-2)).to.deep.equal([
        'FurtherFailureRecorded',
        'NotificationScheduled',
      ]);
      for (let day = 0; day < 20; day++) {
        world.advance(DAY);
        await world.run();
      }
      expect(world.mails.map(({ template }) => template)).to.deep.equal(['payment_failed', 'final_notice']);
      expect(world.psp.charges.size).to.equal(0);
      expect((await world.types()).at(-1)).to.equal('RecoveryExhausted');
    });
  });

  describe('given up, as is told after the failure', () => {
    /** Mailed, and to be failed again. */
    const watched = async (): Promise<ActWorld> => {
      const world = new ActWorld(new LedgerPsp(), {}, { ...policy, psp_retries: 'watch' });
      await world.fail(SOFT, NEXT);
      world.advance(DAY);
      await world.run();
      return world;
    };

    it('end with the last mail, once', async () => {
      const world = await watched();
      const newest = await world.failed(SOFT);
      await world.follow(paymentStream(PAYMENT_ID));
      await told(world, newest);
      await told(world, newest);
      expect((await world.types()).slice(-2)).to.deep.equal(['PspRetriesEnded', 'NotificationScheduled']);
      for (let day = 0; day < 20; day++) {
        world.advance(DAY);
        await world.run();
      }
      expect(world.mails.map(({ template }) => template)).to.deep.equal(['payment_failed', 'final_notice']);
      expect((await world.types()).at(-1)).to.equal('RecoveryExhausted');
      expect(world.psp.charges.size).to.equal(0);
    });

    it('are not over by what an older failure tells too late, nor go on by it', async () => {
      const world = await watched();
      const newest = await world.failed(SOFT);
      await world.follow(paymentStream(PAYMENT_ID));
      const before = await world.types();
      await told(world, 't1');
      expect(await world.types()).to.deep.equal(before);
      await told(world, newest);
      await told(world, 't1', plus(T0, 9 * DAY));
      const types = await world.types(paymentStream(PAYMENT_ID));
      expect(types).to.deep.equal(['PaymentFailed', 'PaymentFailed', 'PspRetriesAnnounced']);
    });

    it('are over also where that is told while the saga follows the failure', async () => {
      const world = new ActWorld(new LedgerPsp(), {}, { ...policy, psp_retries: 'watch' });
      const trigger = await world.failed(SOFT, NEXT);
      await world.follow(paymentStream(PAYMENT_ID), () => told(world, trigger));
      expect(await world.types()).to.include('PspRetriesEnded');
    });

    it('are over also where the saga died before it told so, and follows the failure once more', async () => {
      const world = new ActWorld(new LedgerPsp(), {}, { ...policy, psp_retries: 'watch' });
      const trigger_id = await world.failed(SOFT, NEXT);
      const [message] = (await world.events(paymentStream(PAYMENT_ID))).map(toPublicMessage);
      await world.followMessage(message);
      const data = { transaction_ref: 'inv_1', trigger_id };
      await announcePspRetries(world.store, data, { ...world.context(), principal: psp });
      await world.followMessage(message);
      expect(await world.types()).to.include('PspRetriesEnded');
    });

    it('are over by the failure that the saga has yet to follow', async () => {
      const world = await watched();
      const newest = await world.failed(SOFT);
      const data = { transaction_ref: 'inv_1', trigger_id: newest };
      await announcePspRetries(world.store, data, { ...world.context(), principal: psp });
      await world.follow(paymentStream(PAYMENT_ID));
      const last = (await world.recovery()).findLast(({ type }) => type === 'FurtherFailureRecorded');
      expect(last?.data).to.include({ psp_gave_up: true });
    });
  });

  describe('taken over', () => {
    it('are stopped at once, and only then ours are scheduled', async () => {
      const world = await retriedByPsp('take_over');
      expect(await world.types()).to.deep.equal(mail);
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop']);
      expect((await world.types()).slice(-2)).to.deep.equal(['PspRetriesStopped', 'RetryScheduled']);
      world.advance(HOUR);
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop', 'charge']);
    });

    it('stay with the PSP that refuses to stop', async () => {
      const world = await retriedByPsp('take_over');
      world.psp.stops = [{ status: 'left', reason: 'no_invoice' }];
      await world.run();
      world.advance(8 * HOUR);
      await world.run();
      expect(world.psp.charges.size).to.equal(0);
      expect(await world.types()).to.deep.equal([...mail, 'PspRetriesLeft']);
    });

    it('are stopped later when the PSP does not answer', async () => {
      const world = await retriedByPsp('take_over');
      const silent: StoppedRetries = { status: 'undecided', reason: 'http_none' };
      world.psp.stops = [silent, silent];
      await world.run();
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop']);
      world.advance(MINUTE);
      await world.run();
      world.advance(2 * MINUTE - 1);
      await world.run();
      expect(await world.types()).to.deep.equal([...mail, 'PspRetriesUndecided', 'PspRetriesUndecided']);
      world.advance(1);
      await world.run();
      expect((await world.types()).slice(-2)).to.deep.equal(['PspRetriesStopped', 'RetryScheduled']);
    });

    it('hold no mail back, nor the end, when the PSP does not answer at all', async () => {
      const hard = { decline_code: 'expired_card' };
      const world = await actWorld(hard, [], NEXT, { ...policy, psp_retries: 'take_over' });
      world.psp.stops = Array.from({ length: 500 }, () => ({ status: 'undecided', reason: 'http_none' }));
      await world.run();
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop']);
      expect(world.mails).to.have.length(1);
      for (let hour = 0; hour < 31 * 24; hour++) {
        world.advance(HOUR);
        await world.run();
      }
      expect((await world.types()).at(-1)).to.equal('RecoveryExpired');
      expect(world.psp.asked.length).to.be.within(100, 150);
    });

    it('are told of in the log when the PSP does not answer', async () => {
      const world = await retriedByPsp('take_over');
      world.psp.stops = [{ status: 'undecided', reason: 'http_none' }];
      const warnings: unknown[] = [];
      const warn = (fields: object) => void warnings.push(fields);
      const logger: Logger = { ...silentLogger, warn, child: () => logger };
      await world.run({ logger });
      expect(warnings).to.deep.equal([{ reason: 'http_none' }]);
    });

    it('are ours once the PSP gave up before it was told to stop, however it is told', async () => {
      const ways: readonly ((world: ActWorld) => Promise<unknown>)[] = [
        (world) => told(world, 't1'),
        (world) => world.fail(SOFT, { psp_retries: {} }),
      ];
      for (const gaveUp of ways) {
        const world = await retriedByPsp('take_over');
        await gaveUp(world);
        expect((await world.types()).slice(-2)).to.deep.equal(['PspRetriesStopped', 'RetryScheduled']);
        world.psp.stops = [{ status: 'left', reason: 'no_invoice' }];
        world.advance(8 * HOUR);
        await world.run();
        expect(world.psp.asked).to.deep.equal(['charge']);
      }
    });

    it('are stopped again by whoever finds the worker dead', async () => {
      const world = await retriedByPsp('take_over');
      const faults = () => {
        throw new Error('killed');
      };
      await world.run({ faults }).catch(() => undefined);
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop', 'stop']);
      expect((await world.types()).slice(-2)).to.deep.equal(['PspRetriesStopped', 'RetryScheduled']);
    });
  });

  describe('given up before the saga followed the failure', () => {
    const followed = async (psp_retries: 'watch' | 'take_over'): Promise<ActWorld> => {
      const world = new ActWorld(new LedgerPsp(), {}, { ...policy, psp_retries });
      await told(world, await world.failed(SOFT, NEXT));
      await world.follow(paymentStream(PAYMENT_ID));
      return world;
    };

    it('are over as soon as they are watched: mails go, and the recovery ends', async () => {
      const world = await followed('watch');
      expect(await world.types()).to.deep.equal([
        'RecoveryStarted',
        'PspRetriesEnded',
        'NotificationScheduled',
      ]);
      for (let day = 0; day < 20; day++) {
        world.advance(DAY);
        await world.run();
      }
      expect(world.mails.map(({ template }) => template)).to.deep.equal(['payment_failed', 'final_notice']);
      expect((await world.types()).at(-1)).to.equal('RecoveryExhausted');
    });

    it('are ours at once when they were to be stopped', async () => {
      const world = await followed('take_over');
      const types = await world.types();
      expect(types.slice(0, 3)).to.deep.equal(['RecoveryStarted', 'PspRetriesStopped', 'RetryScheduled']);
      world.advance(HOUR);
      await world.run();
      expect(world.psp.asked).to.deep.equal(['charge']);
    });

    it('are none where the first failure says no more than that there are none', async () => {
      const world = await actWorld(SOFT, [], { psp_retries: {} }, { ...policy, psp_retries: 'watch' });
      expect((await world.types()).slice(0, 2)).to.deep.equal(['RecoveryStarted', 'RetryScheduled']);
    });
  });

  describe('told of by a later report, when a retry of ours is days away or none is planned', () => {
    const EXPIRED = { decline_code: 'expired_card' };
    const ways: Readonly<Record<string, (world: ActWorld) => Promise<void>>> = {
      'a further failure': (world) => world.fail(EXPIRED, NEXT),
      'another report of the same failure': (world) => told(world, 't1', plus(T0, 3 * DAY)),
      'the same report again, after a crash': async (world) => {
        const data = { transaction_ref: 'inv_1', trigger_id: 't1', next_at: plus(T0, 3 * DAY) };
        await announcePspRetries(world.store, data, { ...world.context(), principal: psp });
        await told(world, 't1', plus(T0, 3 * DAY));
      },
    };
    for (const [way, tell] of Object.entries(ways))
      for (const failure of [SOFT, EXPIRED])
        it(`are stopped at once: ${failure.decline_code}, ${way}`, async () => {
          const world = await actWorld(failure, [], {}, { ...policy, psp_retries: 'take_over' });
          await tell(world);
          expect((await world.types()).includes('PspRetriesFound')).to.equal(true);
          await world.run();
          expect(world.psp.asked).to.deep.equal(['stop']);
        });

    it('are watched at once, and the charge that was planned is not made', async () => {
      const world = await actWorld(SOFT, [], {}, { ...policy, psp_retries: 'watch' });
      await world.fail(SOFT, NEXT);
      expect((await world.types()).slice(-2)).to.deep.equal(['FurtherFailureRecorded', 'PspRetriesFound']);
      world.advance(HOUR);
      await world.run();
      expect(world.psp.asked).to.deep.equal([]);
    });

    it('are found and over where the PSP gave up before the recovery heard of them', async () => {
      const world = await actWorld(SOFT, [], {}, { ...policy, psp_retries: 'watch' });
      const next = { transaction_ref: 'inv_1', trigger_id: 't1', next_at: plus(T0, DAY) };
      await announcePspRetries(world.store, next, { ...world.context(), principal: psp });
      await told(world, 't1');
      const types = await world.types();
      expect(types.slice(-2)).to.deep.equal(['PspRetriesFound', 'PspRetriesEnded']);
    });
  });

  describe('told of after the failure', () => {
    const announced = async (psp_retries: 'watch' | 'take_over') => {
      const world = await actWorld(SOFT, [], {}, { ...policy, psp_retries });
      const data = { transaction_ref: 'inv_1', trigger_id: 't1', next_at: plus(T0, DAY) };
      const context = { ...world.context(), principal: psp };
      await announcePspRetries(world.store, data, context);
      await announcePspRetries(world.store, { ...data, next_at: plus(T0, 2 * DAY) }, context);
      expect(await world.types(paymentStream(PAYMENT_ID))).to.deep.equal([
        'PaymentFailed',
        'PspRetriesAnnounced',
      ]);
      world.advance(HOUR);
      await world.run();
      return world;
    };

    it('keep the charge that was planned from being made', async () => {
      const world = await announced('watch');
      expect(world.psp.charges.size).to.equal(0);
      expect((await world.types()).at(-1)).to.equal('PspRetriesFound');
    });

    it('are stopped before ours go on', async () => {
      const world = await announced('take_over');
      expect(world.psp.asked).to.deep.equal(['stop']);
      expect((await world.types()).slice(-3)).to.deep.equal([
        'PspRetriesFound',
        'PspRetriesStopped',
        'RetryScheduled',
      ]);
      world.advance(2 * HOUR + MINUTE);
      await world.run();
      expect(world.psp.asked).to.deep.equal(['stop', 'charge']);
    });
  });
});
