import { expect } from 'chai';
import { type ActWorld, actWorld, LOST, ORG, PAYMENT_ID } from '../../../test/support/actWorld.js';
import { aCharge } from '../../../test/support/credentialSamples.js';
import { credentialStream } from '../../events/credential.js';
import { DAY, HOUR } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { ChargeOutcome, Failure } from '../../kernel/ports.js';
import { namesOf, onCredential } from '../credential/attempts.js';
import type { Verdict } from '../credential/decide.js';
import { readGuidance } from './readGuidance.js';
import { load } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import { paymentStream } from '../../events/payment.js';
import { rulesReader } from '../rules/reader.js';

const ID = { payment_method: { id: 'pm' } };
const BOTH = { payment_method: { id: 'pm', fingerprint: 'fp' } };
const SOFT: Failure = { decline_code: 'insufficient_funds' };
const declined = (failure: Failure): ChargeOutcome => ({ status: 'declined', failure });
const namedBy = (method: typeof ID) =>
  namesOf(ORG, { gateway: 'sandbox', transaction_ref: 'other', ...method });

/** Another payment of the card fails. */
const elsewhere = (world: ActWorld, method: typeof ID, verdict: Verdict = { retry: 'allowed' }) => {
  const charge = aCharge({ amount: 990 });
  const data = { triggerId: 'other', charge, verdict, at: world.context().now };
  const context = { ...world.context(), commandId: deriveId('elsewhere') };
  return onCredential(world.store, namedBy(method), { type: 'RecordExternalAttempt', data }, context);
};
const daily = async (world: ActWorld, days: number): Promise<void> => {
  for (let day = 0; day < days; day++) {
    world.advance(DAY);
    await world.run();
  }
};
const types = (world: ActWorld, method: typeof ID) => world.types(credentialStream(namedBy(method).id));

describe('a card of which only the id of the method is told at first', () => {
  it('has no attempts more once its fingerprint is told', async () => {
    const ach: Failure = { network_code: 'R01', card_brand: 'ach' };
    const world = await actWorld(
      ach,
      Array.from({ length: 9 }, () => declined(ach)),
      ID,
    );
    await daily(world, 20);
    expect(world.psp.charges.size).to.equal(2);
    await world.fail(ach, BOTH);
    await daily(world, 20);
    expect(world.psp.charges.size).to.equal(2);
  });

  for (const [told, charged] of [
    [ID, BOTH],
    [BOTH, ID],
  ] as const)
    it(`is charged by no payment after a ban (${Object.keys(told.payment_method).join(', ')})`, async () => {
      const world = await actWorld(SOFT, [], charged);
      await elsewhere(world, told, { retry: 'never' });
      await daily(world, 20);
      expect(world.psp.asked).to.deep.equal([]);
      expect(await world.types()).to.include('RetryDropped');
    });

  it('is settled under its fingerprint, though the charge began before that was told', async () => {
    const world = await actWorld(SOFT, [LOST], ID);
    world.advance(HOUR);
    await world.run();
    await elsewhere(world, BOTH);
    world.psp.outcomes.push(declined(SOFT));
    world.advance(HOUR);
    await world.run();
    expect(world.psp.asked).to.deep.equal(['charge', 'charge']);
    expect(await types(world, ID)).to.deep.equal([
      'ExternalAttemptRecorded',
      'AttemptReserved',
      'CredentialLinked',
    ]);
    expect(await types(world, BOTH)).to.deep.equal([
      'AttemptsTakenOver',
      'ExternalAttemptRecorded',
      'AttemptReserved',
      'AttemptSettled',
    ]);
  });

  it('says of a decision which streams it was read from', async () => {
    const world = await actWorld(SOFT, [], ID);
    const sources = { store: world.store, rulesOf: rulesReader(world.store) };
    const payment = await load(world.store, paymentDecider, paymentStream(PAYMENT_ID));
    const read = () => readGuidance(sources, ORG, payment, world.context().now);
    expect((await read()).readAt).to.deep.equal({ payment: 0, credential: 0 });
    await elsewhere(world, BOTH);
    const { readAt, ledger } = await read();
    expect(readAt).to.deep.equal({ payment: 0, credential: 1, method: 1 });
    expect(ledger.entries).to.have.length(2);
  });
});
