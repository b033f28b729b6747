import { expect } from 'chai';
import {
  actWorld,
  ActWorld,
  LedgerPsp,
  ORG,
  PAYMENT_ID,
  RECOVERY_ID,
} from '../../../test/support/actWorld.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { credentialStream } from '../../events/credential.js';
import { paymentStream } from '../../events/payment.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import type { FaultPoint } from '../../kernel/faults.js';
import { deriveId } from '../../kernel/ids.js';
import type { ChargeOutcome, Failure } from '../../kernel/ports.js';
import { onCredential } from '../credential/attempts.js';
import { classify } from './classification/classify.js';
import { settleDeclinedAttempt } from './settleAttempt.js';
import { rulesReader } from '../rules/reader.js';
import { verdictOf } from './slot.js';

/** A card that other payments are charged to, too. */
const CARD = { payment_method: { id: 'pm_1', fingerprint: 'fp_1' } };
const CREDENTIAL = deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_1');
const SOFT: Failure = { decline_code: 'insufficient_funds', card_brand: 'amex' };
const declined = (failure: Failure): ChargeOutcome => ({ status: 'declined', failure });

const onCard = (outcomes: ChargeOutcome[] = []): Promise<ActWorld> => actWorld(SOFT, outcomes, CARD);
/** The first event but says that the card has two names. */
const ledger = async ({ events }: ActWorld) =>
  (await events(credentialStream(CREDENTIAL))).slice(1).map(({ type, data }) => ({ type, data }));
const ledgerTypes = async (world: ActWorld) => (await ledger(world)).map(({ type }) => type);

/** Another payment of the card fails. */
const elsewhere = (world: ActWorld, id: string, retry: 'never' | 'allowed', at: string, amount = 990) => {
  const charge = { amount, currency: 'EUR', brand: 'amex', initiator: 'merchant' } as const;
  const data = { triggerId: id, charge, verdict: { retry }, at };
  const context = { ...world.context(), commandId: deriveId('elsewhere', id) };
  return onCredential(world.store, { id: CREDENTIAL }, { type: 'RecordExternalAttempt', data }, context);
};

const psp = { actor: { type: 'psp', id: 's' }, orgId: ORG } as const;

class Killed extends Error {}
const killedAt = (point: FaultPoint) => ({
  faults: (reached: FaultPoint): void => {
    if (reached === point) throw new Killed(point);
  },
});

describe("a charge's slot", () => {
  it('is taken before the charge and settled after it, beside the failure that was reported', async () => {
    const world = await onCard([declined(SOFT)]);
    world.advance(HOUR);
    await world.run();
    expect(await ledger(world)).to.deep.equal([
      {
        type: 'ExternalAttemptRecorded',
        data: {
          trigger_id: 't1',
          ...{ amount: 4900, currency: 'EUR', brand: 'amex', initiator: 'merchant' },
          verdict: { retry: 'allowed' },
          attempted_at: T0,
        },
      },
      {
        type: 'AttemptReserved',
        data: {
          recovery_id: RECOVERY_ID,
          attempt: 1,
          ...{ amount: 4900, currency: 'EUR', brand: 'amex', initiator: 'merchant' },
          limits_version: 2,
          reserved_at: plus(T0, HOUR),
        },
      },
      {
        type: 'AttemptSettled',
        data: {
          recovery_id: RECOVERY_ID,
          attempt: 1,
          outcome: 'declined',
          verdict: { retry: 'allowed' },
          settled_at: plus(T0, HOUR),
        },
      },
    ]);
    const started = (await world.events()).find(({ type }) => type === 'RetryStarted');
    expect(started?.data).to.include({ credential_id: CREDENTIAL });
  });

  it('is counted apart from what the customer began and left', async () => {
    const world = await actWorld({ code: 'payment_cancelled', card_brand: 'visa' }, [], CARD);
    await world.fail(SOFT);
    const initiators = (await ledger(world)).map(({ data }) => (data as { initiator: string }).initiator);
    expect(initiators).to.deep.equal(['customer', 'merchant']);
  });

  it('is not there once other payments have used the card up: nothing is charged, the retry moves on', async () => {
    const world = await onCard();
    for (let n = 1; n <= 9; n++)
      await elsewhere(world, `other-${n}`, 'allowed', plus(T0, n * MINUTE - 20 * DAY));
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    expect((await world.types()).slice(-2)).to.deep.equal(['RetryDropped', 'RetryScheduled']);
    const last = (await world.recovery()).findLast(({ type }) => type === 'RetryScheduled');
    expect(last?.data).to.deep.include({ attempt: 1, at: plus(T0, MINUTE + 10 * DAY) });
  });

  it('is refused after a decline of another payment that forbids every charge of the card', async () => {
    const world = await onCard();
    await elsewhere(world, 'stolen', 'never', plus(T0, MINUTE));
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    const types = await world.types();
    expect(types).to.include('RetryDropped');
    expect(types.filter((type) => type === 'RetryScheduled')).to.have.length(1);
  });

  it('tells the recoveries of the card at once what a decline forbids', async () => {
    const world = await onCard([declined({ decline_code: 'stolen_card' })]);
    world.advance(HOUR);
    await world.run();
    expect((await ledger(world)).at(-1)?.data).to.deep.include({ verdict: { retry: 'never' } });
  });

  it('is settled without a ban where only the words of a message tell of a stolen card', async () => {
    const world = await onCard([declined({ message: 'The card was reported stolen', code: 'flux' })]);
    world.advance(HOUR);
    await world.run();
    const told = (await world.recovery()).findLast(({ type }) => type === 'RetryDeclined');
    expect(told?.data).to.include({ category: 'lost_stolen_fraud', retry: 'never' });
    expect((await ledger(world)).at(-1)?.data).to.deep.include({ verdict: { retry: 'allowed' } });
  });

  it('is settled with the ban of a code, whatever the message beside it says', async () => {
    for (const message of ['Declined', 'The card was reported stolen']) {
      const world = await onCard([declined({ message, advice_code: '03', card_brand: 'mastercard' })]);
      world.advance(HOUR);
      await world.run();
      expect((await ledger(world)).at(-1)?.data).to.deep.include({ verdict: { retry: 'never' } });
    }
  });

  it('is settled by the return of a bank: some forbid every debit of the account, some this one', () => {
    const verdict = (network_code: string) =>
      verdictOf(classify({ network_code, card_brand: 'ach' }, '2026-12-01T10:00:00.000Z')).retry;
    expect(['R01', 'R02', 'R07', 'R08', 'R99'].map(verdict)).to.deep.equal([
      'allowed',
      'never',
      'never',
      'after_change',
      'after_change',
    ]);
  });

  it('is given back when the PSP never got the request, and kept when it never tells', async () => {
    const world = await onCard([{ status: 'unknown', reason: 'timeout' }]);
    world.advance(HOUR);
    await world.run();
    expect((await ledgerTypes(world)).at(-1)).to.equal('AttemptReserved');
    world.advance(DAY);
    world.psp.charges.clear();
    await world.run();
    expect((await ledger(world)).at(-1)?.data).to.include({ outcome: 'not_made' });
  });

  it('is settled when the PSP never told', async () => {
    const world = await onCard([{ status: 'unknown', reason: 'timeout' }]);
    world.psp.lookup = async () => ({ status: 'unknown', reason: 'timeout' });
    world.advance(HOUR);
    await world.run();
    for (let day = 0; day < 15; day++) {
      world.advance(DAY);
      await world.run();
    }
    expect(await world.types()).to.include('RetryUnresolved');
    expect((await ledger(world)).at(-1)?.data).to.include({ outcome: 'unresolved' });
  });

  /** Something happens between the slot and the intent. */
  const onceReserved = (world: ActWorld, then: () => Promise<unknown>): void => {
    const append = world.store.append.bind(world.store);
    world.store.append = async (stream, expected, events) => {
      const done = await append(stream, expected, events);
      if (events[0]?.type === 'AttemptReserved') {
        world.store.append = append;
        await then();
      }
      return done;
    };
  };

  it('is given back by a charge that is not made because the customer began to pay, and taken again', async () => {
    const world = await onCard();
    onceReserved(world, () => world.checkout());
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    expect((await ledger(world)).at(-1)?.data).to.include({ outcome: 'not_made' });
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(1);
    expect((await ledger(world)).at(-1)?.data).to.include({ outcome: 'succeeded' });
  });

  it('is not given back by a worker that another was faster than', async () => {
    const world = await onCard([{ status: 'unknown', reason: 'timeout' }]);
    onceReserved(world, () => world.run());
    world.advance(HOUR);
    await world.run();
    expect(world.psp.asked).to.deep.equal(['charge']);
    expect((await ledgerTypes(world)).at(-1)).to.equal('AttemptReserved');
  });

  const again = ['AttemptReserved'];
  const killed: readonly [FaultPoint, readonly string[]][] = [
    ['retry:after-reserve', again],
    ['retry:after-intent', again],
    ['retry:after-charge', again],
    ['retry:after-slot', []],
  ];
  for (const [point, more] of killed)
    it(`is taken and settled once, killed at ${point}`, async () => {
      const world = await onCard([declined(SOFT)]);
      world.advance(HOUR);
      await world.run(killedAt(point)).catch(() => undefined);
      world.advance(2 * MINUTE);
      await world.run();
      expect(world.psp.charges.size).to.equal(1);
      expect(world.psp.lookups).to.equal(0);
      expect(await ledgerTypes(world)).to.deep.equal([
        'ExternalAttemptRecorded',
        'AttemptReserved',
        ...more,
        'AttemptSettled',
      ]);
      expect((await world.types()).filter((type) => type === 'RetryDeclined')).to.have.length(1);
    });

  it('is settled by what the PSP reports, too', async () => {
    const world = await onCard([{ status: 'unknown', reason: 'timeout' }]);
    world.advance(HOUR);
    await world.run();
    const sources = { store: world.store, rulesOf: rulesReader(world.store) };
    const attempt = { recoveryId: RECOVERY_ID, attempt: 1, failure: SOFT, triggerId: 'ch_1' };
    const context = { ...world.context(), principal: psp };
    await settleDeclinedAttempt(sources, attempt, context);
    await settleDeclinedAttempt(sources, attempt, context);
    expect((await ledgerTypes(world)).slice(-2)).to.deep.equal(['AttemptReserved', 'AttemptSettled']);
  });

  it('of a card that was replaced meanwhile says nothing of when the new one is charged', async () => {
    const world = await onCard([{ status: 'unknown', reason: 'timeout' }]);
    for (let n = 1; n <= 8; n++)
      await elsewhere(world, `other-${n}`, 'allowed', plus(T0, n * MINUTE - 20 * DAY));
    world.advance(HOUR);
    await world.run();
    await world.fail(SOFT, { payment_method: { id: 'pm_2', fingerprint: 'fp_2' } });
    const sources = { store: world.store, rulesOf: rulesReader(world.store) };
    const attempt = { recoveryId: RECOVERY_ID, attempt: 1, failure: SOFT, triggerId: 'ch_1' };
    const context = { ...world.context(), principal: psp };
    await settleDeclinedAttempt(sources, attempt, context);
    const last = (await world.recovery()).findLast(({ type }) => type === 'RetryScheduled');
    expect((last?.data as { at: string }).at < plus(T0, DAY)).to.equal(true);
  });

  describe('settled with an answer that does not tell the brand', () => {
    /** Mastercard's word for "never again": other networks send no such. */
    const ADVICE: Failure = { decline_code: 'insufficient_funds', advice_code: '03' };
    const chargedOnVisa = async (answer: ChargeOutcome): Promise<ActWorld> => {
      const world = new ActWorld(new LedgerPsp([answer]), CARD);
      world.advance(300 * DAY);
      await world.fail({ decline_code: 'insufficient_funds', card_brand: 'visa' });
      world.advance(8 * DAY);
      await world.run();
      return world;
    };
    const permissionsOf = async (world: ActWorld) =>
      (await world.recovery()).flatMap(({ type, data }) => (type === 'RetryDeclined' ? [data.retry] : []));
    const reported = (world: ActWorld): Promise<unknown> => {
      const sources = { store: world.store, rulesOf: rulesReader(world.store) };
      const attempt = { recoveryId: RECOVERY_ID, attempt: 1, failure: ADVICE, triggerId: 'ch_1' };
      return settleDeclinedAttempt(sources, attempt, { ...world.context(), principal: psp });
    };

    it('is read by the one that is known', async () => {
      const answered = await chargedOnVisa(declined(ADVICE));
      expect(await permissionsOf(answered)).to.deep.equal(['allowed']);
      const told = await chargedOnVisa({ status: 'unknown', reason: 'timeout' });
      await reported(told);
      expect(await permissionsOf(told)).to.deep.equal(['allowed']);
    });

    it('is not read by that of a card which took its place', async () => {
      const world = await chargedOnVisa({ status: 'unknown', reason: 'timeout' });
      const method = { payment_method: { id: 'pm_2', fingerprint: 'fp_2' } };
      await world.fail({ decline_code: 'insufficient_funds', card_brand: 'amex' }, method);
      await reported(world);
      expect(await permissionsOf(world)).to.deep.equal(['never']);
    });
  });

  it('counts a failure once, however often its message comes', async () => {
    const world = await onCard();
    await world.follow(paymentStream(PAYMENT_ID));
    expect(await ledgerTypes(world)).to.deep.equal(['ExternalAttemptRecorded']);
  });
});
