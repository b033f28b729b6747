import { expect } from 'chai';
import { ActWorld, actWorld, LedgerPsp, ORG, PAYMENT_ID } from '../../../test/support/actWorld.js';
import { dataOf } from '../../../test/support/recoveryCommands.js';
import { policy, T0 } from '../../../test/support/recoverySamples.js';
import { credentialStream } from '../../events/credential.js';
import { toPublicMessage } from '../../events/integration/toPublicMessage.js';
import { paymentStream } from '../../events/payment.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';

const CARD = { payment_method: { id: 'pm_1', fingerprint: 'fp_1' } };
const CREDENTIAL = credentialStream(deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_1'));
const attemptsOn = async (world: ActWorld, stream: string) =>
  (await world.events(stream)).filter(({ type }) => type === 'ExternalAttemptRecorded');
const soft = { decline_code: 'insufficient_funds' };

describe('a failure counts as an attempt on its card', () => {
  it('also when a later report leaves the card out', async () => {
    const world = await actWorld({ ...soft, card_brand: 'visa' }, [], CARD);
    await world.fail(soft, { payment_method: undefined });
    const brands = (await attemptsOn(world, CREDENTIAL)).map(({ data }) => (data as { brand: string }).brand);
    expect(brands).to.deep.equal(['visa', 'visa']);
  });

  it('read by the network that an earlier report told: another network has other codes', async () => {
    const world = await actWorld({ ...soft, card_brand: 'mastercard' }, [], CARD);
    world.advance(280 * DAY);
    await world.fail({ network_code: '57' });
    expect((await world.events(CREDENTIAL)).at(-1)?.data).to.deep.include({
      brand: 'mastercard',
      verdict: { retry: 'after_change' },
    });
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.deep.include({
      category: 'not_permitted',
      retry: 'after_change',
    });
  });

  it('of another card than before, also where only fingerprints are told', async () => {
    const world = await actWorld({ ...soft, card_brand: 'visa' }, [], {
      payment_method: { fingerprint: 'fp_1', country: 'DE' },
    });
    await world.fail(soft, { payment_method: { fingerprint: 'fp_2' } });
    const other = credentialStream(deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_2'));
    expect((await world.events(other))[0]?.data).to.include({ brand: 'unknown' });
    await world.fail(soft, { payment_method: { id: 'pm_2', fingerprint: 'fp_3' } });
    await world.fail(soft, { payment_method: { id: 'pm_2' } });
    const third = credentialStream(deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_3'));
    expect(await attemptsOn(world, third)).to.have.length(2);
  });

  it('of another card than before, whose network nobody told', async () => {
    const world = await actWorld({ ...soft, card_brand: 'visa' }, [], CARD);
    await world.fail(soft, { payment_method: { id: 'pm_2', fingerprint: 'fp_2' } });
    expect(await attemptsOn(world, CREDENTIAL)).to.have.length(1);
    const other = credentialStream(deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_2'));
    expect((await attemptsOn(world, other))[0]?.data).to.include({ brand: 'unknown' });
  });

  it('also when it is told after the success, and what it forbids holds', async () => {
    const world = await actWorld(soft, [], CARD);
    await world.pay();
    await world.fail({ decline_code: 'stolen_card' });
    expect((await world.events(CREDENTIAL)).at(-1)?.data).to.deep.include({ verdict: { retry: 'never' } });
    expect((await world.types()).at(-1)).to.equal('RecoverySucceeded');
  });
});

describe('nothing is planned', () => {
  it('once the payment has succeeded, though the recovery was not told yet', async () => {
    const world = await actWorld(soft, [{ status: 'unknown', reason: 'timeout' }]);
    world.advance(HOUR);
    await world.run();
    await world.paid();
    world.psp.charges.clear();
    world.advance(MINUTE);
    await world.run();
    const log = await world.recovery();
    expect(dataOf(log, 'RetryDeclined')?.explanation?.rejected[0]?.reason).to.equal(
      'the payment has succeeded',
    );
    expect(log.at(-1)?.type).to.equal('RetryDeclined');
    await world.follow(paymentStream(PAYMENT_ID));
    expect((await world.types()).at(-1)).to.equal('RecoverySucceeded');
  });

  it('for a card that cannot be charged before something changes, because an attempt was not made', async () => {
    const world = await actWorld(soft, [{ status: 'unknown', reason: 'timeout' }]);
    world.advance(HOUR);
    await world.run();
    await world.fail({ decline_code: 'expired_card' });
    world.psp.charges.clear();
    world.advance(MINUTE);
    await world.run();
    const log = await world.recovery();
    expect(dataOf(log, 'RetryDeclined')).to.include({ category: 'card_data_invalid' });
    expect(log.filter(({ type }) => type === 'RetryScheduled')).to.have.length(1);
  });

  it('out of the hours of the scheme: a charge that comes too late for them is planned anew', async () => {
    const upi = { ...soft, card_brand: 'upi' };
    const world = await actWorld(upi, [], { payment_method: { id: 'upi_1' } });
    world.advance(20 * HOUR); // 06:00 UTC, 11:30 in India
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    const log = await world.recovery();
    expect(log.some(({ type }) => type === 'RetryDropped')).to.equal(true);
    const { at = '' } = dataOf(log, 'RetryScheduled') ?? {};
    world.advance(Date.parse(at) - Date.parse(world.context().now));
    await world.run();
    expect(world.psp.charges.size).to.equal(1);
  });
});

describe('a failure that is told too late', () => {
  const expired = { decline_code: 'expired_card' };
  const before = { failed_at: plus(T0, -2 * HOUR) };

  it('does not replace a newer one: what that forbids is not charged', async () => {
    const world = await actWorld(expired);
    await world.fail(soft, before);
    const log = await world.recovery();
    expect(log.at(-1)).to.deep.include({ type: 'FurtherFailureRecorded' });
    expect(dataOf(log, 'FurtherFailureRecorded')).to.include({ older: true, category: 'insufficient_funds' });
    expect(await world.types()).to.not.include('RetryScheduled');
  });

  it('drops nothing that is planned, and another card than the newest is not charged', async () => {
    const world = await actWorld(soft, [], { payment_method: { id: 'pm_new' } });
    const planned = await world.types();
    await world.fail(expired, { ...before, payment_method: { id: 'pm_old' } });
    expect(await world.types()).to.deep.equal([...planned, 'FurtherFailureRecorded']);
    world.advance(HOUR);
    await world.run();
    expect(world.psp.debts.map(({ paymentMethodId }) => paymentMethodId)).to.deep.equal(['pm_new']);
  });

  it('counts on its own card', async () => {
    const world = await actWorld(soft, [], CARD);
    await world.fail(soft, { ...before, payment_method: { id: 'pm_2', fingerprint: 'fp_2' } });
    const other = credentialStream(deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_2'));
    expect(await attemptsOn(world, other)).to.have.length(1);
  });

  it('still bans', async () => {
    const world = await actWorld(soft, [], CARD);
    await world.fail({ decline_code: 'stolen_card' }, before);
    world.advance(HOUR);
    await world.run();
    expect(world.psp.charges.size).to.equal(0);
    expect((await world.types()).filter((type) => type === 'RetryScheduled')).to.have.length(1);
  });

  it('is held against the newest attempt of ours that was answered, too', async () => {
    const world = await actWorld(expired, []);
    await world.fail(soft);
    const funds = { status: 'declined', failure: soft } as const;
    world.psp.outcomes.push(funds);
    world.advance(2 * HOUR);
    await world.run();
    expect((await world.types()).slice(-2)).to.deep.equal(['RetryDeclined', 'RetryScheduled']);
    await world.fail(expired, { failed_at: plus(T0, HOUR) });
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.include({ older: true });
    await world.fail(expired);
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.not.have.property('older');
  });

  it('is not older than an attempt that never reached the bank', async () => {
    const world = await actWorld(soft, [{ status: 'unknown', reason: 'timeout' }]);
    world.advance(HOUR);
    await world.run();
    world.psp.charges.clear();
    world.advance(DAY);
    await world.run();
    await world.fail(expired, { failed_at: plus(T0, MINUTE) });
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.not.have.property('older');
  });
});

describe('a customer who is reached by a later report', () => {
  const expired = { decline_code: 'expired_card' };
  const ada = { customer: { email: 'ada@example.com' } };
  const nobody = { customer: { id: 'cus_1' } };
  const bounced = { status: 'failed', permanent: true, reason: '550' } as const;
  const sent = ({ mails }: ActWorld): number => mails.length;

  it('is mailed, also where no retry of ours is left', async () => {
    const world = await actWorld(soft, [], nobody);
    expect(await world.types()).to.not.include('NotificationScheduled');
    await world.fail(expired, ada);
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.deep.include({ channels: ['email'] });
    await world.run();
    expect(sent(world)).to.equal(1);
  });

  it('is mailed from the beginning where the saga had yet to follow the first one', async () => {
    const world = new ActWorld(new LedgerPsp(), nobody);
    await world.failed(expired);
    const [first] = (await world.events(paymentStream(PAYMENT_ID))).map(toPublicMessage);
    await world.failed(expired, ada);
    await world.followMessage(first);
    await world.run();
    expect(sent(world)).to.equal(1);
  });

  it('is not mailed by a channel that the policy does not want', async () => {
    const world = await actWorld(soft, [], nobody, { ...policy, enabled_channels: [] });
    await world.fail(expired, ada);
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.not.have.property('channels');
  });

  it('is sent the very mail that did not reach the other address', async () => {
    for (const [code, templates] of [
      [expired, ['update_card']],
      [soft, ['payment_failed']],
    ] as const) {
      const world = await actWorld(code, [], { ...ada, psp_retries: { next_at: plus(T0, 20 * DAY) } });
      world.advance(DAY);
      await world.run({ sendMail: () => Promise.resolve(bounced) });
      await world.fail(code, { customer: { email: 'lovelace@example.com' } });
      world.advance(DAY);
      await world.run();
      expect(world.mails.map(({ template }) => template)).to.deep.equal(templates);
    }
  });

  it('is mailed at another address than the one that could not be reached, and not at that', async () => {
    const watched = { ...ada, psp_retries: { next_at: plus(T0, 9 * DAY) } };
    const world = await actWorld(soft, [], watched);
    world.advance(DAY);
    await world.run({ sendMail: () => Promise.resolve(bounced) });
    expect((await world.types()).at(-1)).to.equal('NotificationFailed');
    for (const email of ['ada@example.com', 'Ada@Example.com']) {
      await world.fail(soft, { customer: { email } });
      const failed = dataOf(await world.recovery(), 'FurtherFailureRecorded');
      expect(failed).to.not.have.property('address_changed');
    }
    await world.fail(soft, { customer: { email: 'old@example.com' }, failed_at: plus(T0, -HOUR) });
    expect(await world.types()).to.not.include('NotificationSent');
    await world.fail(soft, { customer: { email: 'lovelace@example.com' }, psp_retries: {} });
    expect(dataOf(await world.recovery(), 'FurtherFailureRecorded')).to.include({ address_changed: true });
    for (let day = 0; day < 5; day++) {
      world.advance(DAY);
      await world.run();
    }
    expect(world.mails.map(({ to, template }) => [to.address, template])).to.deep.equal([
      ['lovelace@example.com', 'payment_failed'],
      ['lovelace@example.com', 'final_notice'],
    ]);
  });
});
