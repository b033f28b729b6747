import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import type { EventStore } from '../../events/eventStore.js';
import type { FaultPoint } from '../../kernel/faults.js';
import { DAY, MINUTE, plus } from '../../kernel/clock.js';
import { deriveId, type OrgId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import type { ChargeOutcome, Psp } from '../../kernel/ports.js';
import { policy, T0 } from '../../../test/support/recoverySamples.js';
import { recordPaymentFailure, recordPaymentSuccess } from '../payment/record.js';
import { act, type ActDependencies, type RecoveryMail } from './act.js';
import { followFailure } from './followPayment.js';

const ORG = deriveId('org') as OrgId;
const PAYMENT_ID = paymentIdOf(ORG, 'inv_1');
const RECOVERY_ID = recoveryIdOf(PAYMENT_ID);

/** A PSP that remembers keys and whom it charged. */
class LedgerPsp implements Psp {
  readonly charges = new Map<string, ChargeOutcome>();
  lookups = 0;
  constructor(private readonly outcomes: ChargeOutcome[]) {}

  async charge(_debt: unknown, key: string): Promise<ChargeOutcome> {
    const known = this.charges.get(key);
    if (known !== undefined) return known;
    const outcome = this.outcomes.shift() ?? { status: 'succeeded', reference: 'ch' };
    this.charges.set(key, outcome);
    return outcome;
  }
  async lookup(_debt: unknown, key: string): Promise<ChargeOutcome> {
    this.lookups++;
    const known = this.charges.get(key);
    return known?.status === 'unknown'
      ? { status: 'succeeded', reference: 'ch' }
      : (known ?? { status: 'not_found' });
  }
  openCheckout(): never {
    throw new Error('not used');
  }
}

class Killed extends Error {}

const setUp = async (decline_code: string, outcomes: ChargeOutcome[] = []) => {
  const store: EventStore = new MemoryEventStore();
  const psp = new LedgerPsp(outcomes);
  const mails: RecoveryMail[] = [];
  let now = T0;
  const clock = { now: () => new Date(now) };
  const principal = { actor: { type: 'system', id: 'test' }, orgId: ORG } as const;
  const context = { principal, correlationId: 'c', causationId: 'c', now };
  const facts = {
    transaction_ref: 'inv_1',
    amount: 4900,
    currency: 'EUR',
    customer: { email: 'ada@example.com' },
    gateway: 'sandbox',
  };
  const recorded = await recordPaymentFailure(
    store,
    { ...facts, failure: { decline_code }, trigger_id: 't1', failed_at: T0 },
    context,
  );
  const envelope = {
    id: recorded.eventId,
    key: PAYMENT_ID,
    org_id: ORG,
    time: T0,
    position: String(recorded.position),
    correlation_id: 'c',
  };
  const data = { payment_id: PAYMENT_ID, trigger_id: 't1', late: false };
  await followFailure(
    { store, policyOf: async () => policy },
    { ...envelope, type: 'payment.failed', data },
    context,
  );
  let leases = 0;
  const deps = (over: Partial<ActDependencies> = {}): ActDependencies => ({
    store,
    psp,
    clock,
    faults: () => undefined,
    leaseId: String(leases++),
    stillMine: async () => true,
    sendMail: async (mail) => {
      mails.push(mail);
      return { status: 'sent' };
    },
    ...over,
  });
  const run = (over: Partial<ActDependencies> = {}) => act(deps(over), RECOVERY_ID, ORG);
  const types = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of store.readStream(recoveryStream(RECOVERY_ID)))
      found.push(...page.map(({ type }) => type));
    return found;
  };
  return { store, psp, mails, run, types, context, advance: (ms: number) => (now = plus(now, ms)) };
};

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
    const { store, run, psp, types, advance, context } = await setUp('insufficient_funds');
    await recordPaymentSuccess(
      store,
      { transaction_ref: 'inv_1', source: 'external', trigger_id: 's', succeeded_at: T0 },
      context,
    );
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
