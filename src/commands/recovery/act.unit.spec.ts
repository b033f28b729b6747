import { expect } from 'chai';
import fc from 'fast-check';
import { actWorld, LOST, PAYMENT_ID, RECOVERY_ID } from '../../../test/support/actWorld.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { paymentStream } from '../../events/payment.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { act, type ActDependencies } from './act.js';
import type { FaultPoint } from '../../kernel/faults.js';
import { type Logger, silentLogger } from '../../kernel/logger.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { ChargeOutcome } from '../../kernel/ports.js';

class Killed extends Error {}
const killedAt = (point: FaultPoint) => ({
  faults: (reached: FaultPoint): void => {
    if (reached === point) throw new Killed(point);
  },
});

const setUp = (decline_code: string, outcomes: ChargeOutcome[] = []) => actWorld({ decline_code }, outcomes);

const soft: ChargeOutcome = { status: 'declined', failure: { decline_code: 'insufficient_funds' } };

describe('act', () => {
  it('does nothing before the time', async () => {
    const { run, psp, types } = await setUp('insufficient_funds');
    await run();
    expect(psp.charges.size).to.equal(0);
    expect(await types()).to.have.length(3);
  });

  it('charges when due, once, and ends the recovery', async () => {
    const { run, psp, types, advance } = await setUp('insufficient_funds');
    advance(60 * MINUTE);
    await run();
    await run();
    expect(psp.charges.size).to.equal(1);
    expect((await types()).slice(-3)).to.deep.equal(['RetryStarted', 'RetrySucceeded', 'RecoverySucceeded']);
  });

  it('does not charge what was paid in the meantime', async () => {
    const { run, psp, types, advance, paid } = await setUp('insufficient_funds');
    await paid();
    advance(60 * MINUTE);
    await run();
    expect(psp.charges.size).to.equal(0);
    expect((await types()).at(-1)).to.equal('RecoverySucceeded');
  });

  it('asks again with the same key while that is safe, and only looks up afterwards', async () => {
    const unknown: ChargeOutcome = { status: 'unknown', reason: 'timeout' };
    const { run, psp, types, advance } = await setUp('insufficient_funds', [unknown]);
    advance(60 * MINUTE);
    await run();
    for (let i = 0; i < 5; i++) {
      advance(60 * MINUTE);
      await run();
    }
    expect(psp.charges.size).to.equal(1);
    expect(psp.lookups).to.equal(0);
    advance(DAY);
    await run();
    expect(psp.lookups).to.equal(1);
    expect((await types()).at(-1)).to.equal('RecoverySucceeded');
  });

  it('takes "no such charge" as a decline and goes on', async () => {
    const { run, psp, types, advance } = await setUp('insufficient_funds', [
      { status: 'unknown', reason: 'timeout' },
    ]);
    advance(60 * MINUTE);
    await run();
    advance(DAY);
    psp.charges.clear();
    await run();
    expect((await types()).includes('RetryDeclined')).to.equal(true);
  });

  it('stops before the effect when the lease is lost', async () => {
    const { run, psp, types, advance } = await setUp('insufficient_funds');
    advance(60 * MINUTE);
    await run({ stillMine: async () => false });
    expect(psp.charges.size).to.equal(0);
    expect((await types()).at(-1)).to.equal('RetryStarted');
    advance(MINUTE);
    await run();
    expect(psp.charges.size).to.equal(1);
  });

  describe('an attempt whose request may never have arrived is only looked up', () => {
    const begun = async (kill = true) => {
      const world = await setUp('insufficient_funds', kill ? [] : [LOST]);
      world.advance(HOUR);
      await world.run(kill ? killedAt('retry:after-intent') : {}).catch(() => undefined);
      return world;
    };
    const lookedUp = async ({ run, advance, psp }: Awaited<ReturnType<typeof begun>>): Promise<void> => {
      const before = psp.asked.length;
      advance(2 * MINUTE);
      await run();
      expect(psp.asked.slice(before)).to.deep.equal(['lookup']);
      expect(psp.charges.size).to.equal(0);
    };

    for (const kill of [true, false]) {
      const how = kill ? 'killed before the request' : 'the request was lost';
      it(`once the debt is paid (${how})`, async () => {
        const world = await begun(kill);
        await world.pay();
        await lookedUp(world);
      });

      it(`also before the recovery knows that the debt is paid (${how})`, async () => {
        const world = await begun(kill);
        await world.paid();
        await lookedUp(world);
      });

      it(`once the merchant cancelled (${how})`, async () => {
        const world = await begun(kill);
        await world.cancel();
        await lookedUp(world);
        expect((await world.types()).at(-1)).to.equal('RetryDeclined');
      });
    }
  });

  describe('beside a checkout', () => {
    const opened = async () => {
      const world = await setUp('insufficient_funds');
      world.advance(50 * MINUTE);
      await world.checkout();
      return world;
    };

    it('waits while the page takes money, then has it closed before it charges', async () => {
      const { run, psp, advance } = await opened();
      advance(44 * MINUTE);
      await run();
      expect(psp.asked).to.deep.equal(['checkout']);
      advance(MINUTE);
      await run();
      expect(psp.asked).to.deep.equal(['checkout', 'close', 'charge']);
    });

    it('takes a checkout that was paid, and nobody reported, as the payment', async () => {
      const { run, psp, advance, types, events } = await opened();
      psp.closings = [{ status: 'paid', reference: 'pi_9' }];
      advance(HOUR);
      await run();
      expect(psp.charges.size).to.equal(0);
      const [paid, ended] = [(await events(paymentStream(PAYMENT_ID))).at(-1), (await events()).at(-1)];
      expect(paid?.data).to.include({ source: 'link', trigger_id: 'pi_9', amount: 4900 });
      expect(ended?.data).to.include({ source: 'link', previous_status: 'active' });
      expect(await types()).to.not.include('RetryStarted');
    });

    it('does nothing while the PSP cannot say, and goes on when it can', async () => {
      const { run, psp, advance, types, mails } = await opened();
      psp.closings = Array.from({ length: 5 }, () => ({ status: 'undecided', reason: 'processing' }));
      for (let checks = 0; checks < 5; checks++) {
        advance(6 * HOUR);
        await run();
      }
      expect(psp.charges.size + mails.length).to.equal(0);
      expect((await types()).filter((type) => type === 'CheckoutUndecided')).to.have.length(5);
      advance(6 * HOUR);
      await run();
      expect(psp.charges.size).to.equal(1);
    });

    it('ends at its time all the same', async () => {
      const { run, psp, advance, types } = await opened();
      psp.closings = [{ status: 'undecided', reason: 'processing' }];
      advance(31 * DAY);
      await run();
      expect((await types()).at(-1)).to.equal('RecoveryExpired');
      expect(psp.charges.size).to.equal(0);
    });

    it('does not charge when the customer goes there in the moment of the decision', async () => {
      const { store, run, psp, advance, checkout, types } = await setUp('insufficient_funds');
      advance(HOUR);
      const read = store.readStream.bind(store);
      let clicked = false;
      store.readStream = async function* (stream, options) {
        if (stream === paymentStream(PAYMENT_ID) && !clicked) {
          clicked = true;
          await checkout();
        }
        yield* read(stream, options);
      };
      await run();
      expect(psp.charges.size).to.equal(0);
      expect((await types()).at(-1)).to.equal('CheckoutOpened');
    });
  });

  it('charges what it began to charge, whatever is reported meanwhile', async () => {
    const first = { payment_method: { id: 'pm_A' }, references: { payment_intent: 'pi_1' } };
    const world = await actWorld({ decline_code: 'insufficient_funds' }, [LOST], first);
    world.advance(HOUR);
    await world.run();
    await world.fail(
      { decline_code: 'insufficient_funds' },
      { payment_method: { id: 'pm_B' }, references: { invoice: 'in_1' } },
    );
    world.advance(2 * MINUTE);
    await world.run();
    const charged = world.psp.debts.map(({ paymentMethodId, references }) => ({
      paymentMethodId,
      references,
    }));
    const same = { paymentMethodId: 'pm_A', references: { payment_intent: 'pi_1' } };
    expect(charged).to.deep.equal([same, same]);
  });

  it('goes back to the request that started the recovery, in the log, the events and at the PSP', async () => {
    const { run, psp, advance, events } = await setUp('insufficient_funds');
    const bound: Record<string, unknown> = {};
    const errors: object[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (fields) => errors.push(fields),
      child: (fields) => (Object.assign(bound, fields), logger),
    };
    advance(HOUR);
    await run({ logger, stillMine: () => Promise.reject(new Error('no database')) }).catch(() => undefined);
    expect(errors).to.have.length(1);
    expect(bound).to.include({ recovery_id: RECOVERY_ID, request_id: 'req-1', correlation_id: 'corr-1' });
    advance(2 * MINUTE);
    await run({ logger });
    expect([...psp.requestIds]).to.deep.equal(['req-1']);
    for (const { metadata } of await events())
      expect(metadata).to.include({ request_id: 'req-1', correlation_id: 'corr-1' });
  });

  it("refuses another organization's recovery", async () => {
    const { store, psp, advance } = await setUp('insufficient_funds');
    advance(HOUR);
    const other = { actor: { type: 'system', id: 'scheduler' }, orgId: deriveId('other') as OrgId } as const;
    const deps = { store, psp, logger: silentLogger } as unknown as ActDependencies;
    const code = await act(deps, RECOVERY_ID, other).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    expect(code).to.equal('not_found');
  });

  it('mails under one message id, with the link as long-lived as the recovery', async () => {
    const { run, mails } = await setUp('expired_card');
    await run();
    expect(mails).to.have.length(1);
    expect(mails[0]).to.include({
      messageId: `<${RECOVERY_ID}.1@stealth-recovery>`,
      template: 'update_card',
      linkExpiresAt: plus(T0, 30 * DAY),
    });
  });

  const points: FaultPoint[] = [
    'retry:after-intent',
    'retry:after-charge',
    'retry:after-outcome',
    'mail:after-intent',
    'mail:after-send',
    'mail:after-outcome',
  ];
  it('property: killed at any points, with two workers at once, no attempt is charged twice and every intent gets its outcome', async () => {
    const kills = fc.array(fc.constantFrom<FaultPoint | 'none'>(...points, 'none'), {
      minLength: 1,
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(
        kills,
        fc.constantFrom('insufficient_funds', 'expired_card', 'do_not_honor'),
        async (script, code) => {
          const { run, psp, types, advance, mails, store } = await setUp(code, [
            soft,
            { status: 'unknown', reason: 'cut' },
            soft,
            soft,
          ]);
          for (const point of [...script, ...Array<'none'>(40).fill('none')]) {
            const faults = (reached: FaultPoint): void => {
              if (reached === point) throw new Killed(point);
            };
            const results = await Promise.allSettled([run({ faults }), run()]);
            for (const result of results)
              if (result.status === 'rejected' && !(result.reason instanceof Killed))
                throw result.reason as Error;
            advance(DAY);
          }
          const log = await types();
          const started = log.filter((type) => type === 'RetryStarted').length;
          expect(psp.charges.size).to.be.at.most(started); // an intent found too late is looked up, not charged
          expect(
            [...psp.charges.values()].filter(({ status }) => status === 'succeeded').length,
          ).to.be.at.most(1);
          expect(
            log.filter((type) => type === 'RetryDeclined' || type === 'RetrySucceeded').length,
            log.join(),
          ).to.equal(started);
          const settled = log.filter(
            (type) => type === 'NotificationSent' || type === 'NotificationFailed',
          ).length;
          expect(settled, log.join()).to.be.at.least(new Set(mails.map(({ messageId }) => messageId)).size);
          expect(log.filter((type) => type === 'NotificationStarted').length).to.be.at.least(settled);
          expect(log.filter((type) => /^Recovery(Succeeded|Exhausted|Expired)$/.test(type))).to.have.length(
            1,
          );
          for await (const page of store.readStream(paymentStream(PAYMENT_ID)))
            expect(page).to.have.length(1);
        },
      ),
      { numRuns: 40 },
    );
  });
});
