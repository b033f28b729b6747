import { expect } from 'chai';
import { aDebt, aPage as page, keyOf } from '../../../test/support/debt.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { silentLogger } from '../../kernel/logger.js';
import { sandboxCalls, sandboxCharges } from './sandboxLedger.js';
import { SandboxPsp } from './sandboxPsp.js';

describe('sandbox PSP', () => {
  let db: TestDatabase;
  let psp: SandboxPsp;
  before(async () => {
    db = await createTestDatabase();
    psp = new SandboxPsp({
      pool: db.pool,
      baseUrl: 'http://sandbox.test',
      logger: silentLogger,
      slowness: 50,
    });
  });
  after(() => db.drop());

  const scripted = (sandbox_script: string) => aDebt({ metadata: { sandbox_script } });

  it('charges once per key, however often and at once it is asked', async () => {
    const debt = aDebt();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => psp.charge(debt, keyOf(debt), 'req-1')),
    );
    const charges = await sandboxCharges(db.pool, debt.paymentId);
    expect(charges).to.have.length(1);
    expect(charges[0]).to.deep.include({
      idempotency_key: keyOf(debt),
      status: 'succeeded',
      amount: 4900,
      currency: 'EUR',
      origin: 'off_session',
    });
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).to.have.property('size', 1);
    const calls = await sandboxCalls(db.pool, debt.paymentId);
    expect(calls.filter((call) => !call.replayed)).to.have.length(1);
    expect(calls).to.have.length(10);
    expect(calls[0]?.request_id).to.equal('req-1');
  });

  it('charges again under another key: a double charge shows', async () => {
    const debt = aDebt();
    await psp.charge(debt, keyOf(debt, 1));
    await psp.charge(debt, keyOf(debt, 2));
    const charges = await sandboxCharges(db.pool, debt.paymentId);
    expect(charges.filter((charge) => charge.status === 'succeeded')).to.have.length(2);
  });

  it('plays the script, one word per charge, the last one on and on', async () => {
    const debt = scripted('insufficient_funds, lost_card,success');
    const first = await psp.charge(debt, keyOf(debt, 1));
    expect(first).to.deep.include({
      status: 'declined',
      failure: {
        code: 'card_declined',
        decline_code: 'insufficient_funds',
        network_code: '51',
        card_brand: 'visa',
        message: 'Your card was declined.',
      },
    });
    expect(await psp.charge(debt, keyOf(debt, 1))).to.deep.equal(first);
    expect(await psp.charge(debt, keyOf(debt, 2))).to.have.nested.property(
      'failure.decline_code',
      'lost_card',
    );
    expect(await psp.charge(debt, keyOf(debt, 3))).to.have.property('status', 'succeeded');
    expect(await psp.charge(debt, keyOf(debt, 4))).to.have.property('status', 'succeeded');
  });

  it('loses an answer, and gives it when asked again', async () => {
    const debt = scripted('timeout');
    expect(await psp.charge(debt, keyOf(debt))).to.deep.equal({ status: 'unknown', reason: 'timeout' });
    expect(await psp.lookup(debt, keyOf(debt))).to.have.property('status', 'succeeded');
    expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
    expect(await sandboxCharges(db.pool, debt.paymentId)).to.have.length(1);
  });

  it('loses a request, and takes it when it comes again', async () => {
    const debt = scripted('timeout_unrecorded');
    expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'unknown');
    expect(await psp.lookup(debt, keyOf(debt))).to.deep.equal({ status: 'not_found' });
    expect(await sandboxCharges(db.pool, debt.paymentId)).to.deep.equal([]);
    expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
    expect(await sandboxCharges(db.pool, debt.paymentId)).to.have.length(1);
  });

  it('can be slow', async () => {
    const debt = scripted('slow');
    const answering = psp.charge(debt, keyOf(debt));
    expect(await Promise.race([answering, psp.charge(aDebt(), 'quick-key')])).to.have.property('reference');
    expect(await answering).to.have.property('status', 'succeeded');
  });

  it('goes by the test card when there is no script', async () => {
    const outcome = async (paymentMethodId: string) => {
      const debt = aDebt({ paymentMethodId });
      const answer = await psp.charge(debt, keyOf(debt));
      return answer.status === 'declined' ? answer.failure.decline_code : answer.status;
    };
    expect(await outcome('pm_card_visa')).to.equal('succeeded');
    expect(await outcome('pm_card_chargeDeclinedInsufficientFunds')).to.equal('insufficient_funds');
    expect(await outcome('pm_card_visa_chargeDeclinedLostCard')).to.equal('lost_card');
    expect(await outcome('pm_card_authenticationRequired')).to.equal('authentication_required');
    expect(await outcome('pm_card_constructor')).to.equal('succeeded');
  });

  it('answers unknown when it cannot be reached', async () => {
    const debt = { ...aDebt(), paymentId: 'no uuid' as never };
    expect(await psp.charge(debt, 'key')).to.deep.equal({ status: 'unknown', reason: 'sandbox_unavailable' });
    expect(await psp.lookup(debt, 'other')).to.deep.equal({
      status: 'unknown',
      reason: 'sandbox_unavailable',
    });
  });

  describe('checkout', () => {
    const open = async (debt = aDebt(), key = `${debt.recoveryId}:checkout:1`, previous?: string) => {
      const checkout = await psp.openCheckout(debt, page(key, previous));
      if (checkout.status !== 'open') return expect.fail('not open');
      return { debt, ...checkout };
    };

    it('opens one page per key', async () => {
      const first = await open();
      expect(first.url).to.equal(`http://sandbox.test/sandbox/checkout/${first.reference}`);
      expect((await open(first.debt)).reference).to.equal(first.reference);
      expect(await psp.session(first.reference)).to.deep.include({ amount: 4900, status: 'open' });
    });

    it('is paid once', async () => {
      const { debt, reference } = await open();
      const [one, two] = await Promise.all([
        psp.completeCheckout(reference, 'pay'),
        psp.completeCheckout(reference, 'pay'),
      ]);
      expect(one).to.have.property('status', 'paid');
      expect(two).to.have.property('reference', one?.status === 'paid' ? one.reference : '');
      const charges = await sandboxCharges(db.pool, debt.paymentId);
      expect(charges.map((charge) => charge.origin)).to.deep.equal(['checkout']);
      expect(await psp.openCheckout(debt, page('again'))).to.deep.equal({
        status: 'already_paid',
        reference: charges[0]?.id,
        by: 'checkout',
      });
    });

    it('is closed before a charge, or tells that it was paid', async () => {
      const first = await open();
      expect(await psp.closeCheckout(first.debt, first.reference)).to.deep.equal({ status: 'closed' });
      expect(await psp.completeCheckout(first.reference, 'pay')).to.have.property('status', 'expired');
      const second = await open(first.debt, 'second');
      const paid = await psp.completeCheckout(second.reference, 'pay');
      if (paid?.status !== 'paid') return expect.fail('not paid');
      const { reference } = paid;
      expect(await psp.closeCheckout(first.debt, second.reference)).to.deep.equal({
        status: 'paid',
        reference,
      });
      expect(await psp.session(second.reference)).to.include({ status: 'paid', reference });
    });

    it('can be declined and paid after all', async () => {
      const { reference } = await open();
      expect(await psp.completeCheckout(reference, 'decline')).to.have.property('status', 'declined');
      expect(await psp.completeCheckout(reference, 'pay')).to.have.property('status', 'paid');
    });

    it('expires the page before', async () => {
      const first = await open();
      const second = await open(first.debt, 'second', first.reference);
      expect(await psp.completeCheckout(first.reference, 'pay')).to.have.property('status', 'expired');
      expect(await psp.completeCheckout(second.reference, 'pay')).to.have.property('status', 'paid');
      expect(await psp.completeCheckout('cs_none', 'pay')).to.equal(undefined);
    });
  });
});
