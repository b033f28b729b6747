import { expect } from 'chai';
import { aDebt, aPage as page } from '../../../test/support/debt.js';
import { FakeStripe } from '../../../test/support/fakeStripe.js';
import { silentLogger } from '../../kernel/logger.js';
import type { Debt } from '../../kernel/ports.js';
import { StripePsp } from './stripePsp.js';

describe('Stripe checkout', () => {
  let stripe: FakeStripe;
  let psp: StripePsp;
  beforeEach(async () => {
    stripe = await FakeStripe.start();
    const apiKeyOf = () => Promise.resolve('sk_test_acme');
    psp = new StripePsp({ apiKeyOf, apiBase: stripe.url, timeout: 300, logger: silentLogger });
  });
  afterEach(() => stripe.stop());

  const owed = (references: Record<string, string>, paymentMethodId = 'pm_card_visa'): Debt =>
    aDebt({ gateway: 'stripe', references, paymentMethodId });
  const onIntent = (paymentMethodId?: string, fields = {}) =>
    owed({ payment_intent: stripe.intent(fields) }, paymentMethodId);
  const onInvoice = (paymentMethodId?: string, fields = {}) =>
    owed({ invoice: stripe.invoice(fields) }, paymentMethodId);

  const failureOf = (debt: Debt, previous?: string): Promise<{ code?: string }> =>
    psp.openCheckout(debt, page('k', previous)).then(
      () => expect.fail('opened'),
      (error: { code?: string }) => error,
    );

  it('opens a session that names the debt', async () => {
    const debt = aDebt({ gateway: 'stripe', customerId: 'cus_1' });
    const checkout = await psp.openCheckout(debt, page('checkout-1'));
    if (checkout.status !== 'open') return expect.fail('not open');
    expect(checkout.url).to.equal(`https://checkout.test/${checkout.reference}`);
    expect(await psp.openCheckout(debt, page('checkout-1'))).to.deep.equal(checkout);
    expect(stripe.requests.at(-1)?.form).to.deep.include({
      mode: 'payment',
      client_reference_id: debt.paymentId,
      customer: 'cus_1',
      'line_items[0][price_data][currency]': 'eur',
      'line_items[0][price_data][unit_amount]': '4900',
      'metadata[recovery_id]': debt.recoveryId,
      'payment_intent_data[metadata][transaction_ref]': debt.transactionRef,
      'payment_intent_data[metadata][org_id]': debt.orgId,
      'metadata[request_id]': 'req-1',
      'line_items[0][price_data][product_data][name]': 'Payment to Acme',
      expires_at: '1795430100',
      success_url: 'https://app.test/r/token/done',
      cancel_url: 'https://app.test/r/token',
    });
  });

  it('closes the session before, and sees when that one is paid', async () => {
    const debt = onIntent();
    const first = await psp.openCheckout(debt, page('one'));
    if (first.status !== 'open') return expect.fail('not open');
    const second = await psp.openCheckout(debt, page('two', first.reference));
    expect(stripe.sessions.get(first.reference)?.['status']).to.equal('expired');
    if (second.status !== 'open') return expect.fail('not open');
    Object.assign(stripe.sessions.get(second.reference) ?? {}, {
      status: 'complete',
      payment_status: 'paid',
    });
    expect(await psp.openCheckout(debt, page('three', second.reference))).to.deep.equal({
      status: 'already_paid',
      reference: second.reference,
      by: 'checkout',
    });
  });

  it('does not open a second way to pay', async () => {
    const paid = onIntent(undefined, { status: 'succeeded' });
    expect(await psp.openCheckout(paid, page('k'))).to.deep.equal({
      status: 'already_paid',
      reference: paid.references['payment_intent'],
      by: 'other',
    });
    expect(await failureOf(onIntent(undefined, { status: 'processing' }))).to.have.property(
      'code',
      'attempt_in_flight',
    );
    expect(stripe.sessions.size).to.equal(0);
  });

  it("leads to the invoice's own page", async () => {
    const debt = onInvoice();
    const id = debt.references['invoice'];
    expect(await psp.openCheckout(debt, page('k'))).to.deep.equal({
      status: 'open',
      url: `https://invoice.test/${id}`,
      reference: id,
    });
    const paid = onInvoice(undefined, { status: 'paid' });
    const { invoice } = paid.references;
    expect(await psp.openCheckout(paid, page('k'))).to.include({ status: 'already_paid', by: 'other' });
    expect(await psp.openCheckout(paid, page('k', invoice))).to.include({ by: 'checkout' });
    expect(await failureOf(onInvoice(undefined, { status: 'void' }))).to.have.property(
      'code',
      'recovery_closed',
    );
  });

  describe('closed before a charge', () => {
    const closed = async (changes: object, debt = onIntent()) => {
      const checkout = await psp.openCheckout(debt, page(debt.transactionRef));
      if (checkout.status !== 'open') return expect.fail('not open');
      Object.assign(stripe.sessions.get(checkout.reference) ?? {}, changes);
      return { answer: await psp.closeCheckout(debt, checkout.reference), reference: checkout.reference };
    };
    const intent = (status: string) => ({ payment_intent: { id: 'pi_checkout', status } });

    it('takes no money any more', async () => {
      const { answer, reference } = await closed({});
      expect(answer).to.deep.equal({ status: 'closed' });
      expect(stripe.sessions.get(reference)?.['status']).to.equal('expired');
      expect((await closed({ status: 'expired' })).answer).to.deep.equal({ status: 'closed' });
      expect(await psp.closeCheckout(onIntent(), 'cs_none')).to.deep.equal({ status: 'closed' });
    });

    it('tells that it was paid, by the name that the webhook gives the payment', async () => {
      const complete = { status: 'complete', payment_status: 'paid', ...intent('succeeded') };
      expect((await closed(complete)).answer).to.deep.equal({ status: 'paid', reference: 'pi_checkout' });
    });

    it('waits for an asynchronous method, and gives up one that failed', async () => {
      const unpaid = { status: 'complete', payment_status: 'unpaid' };
      for (const status of ['processing', 'requires_action'])
        expect((await closed({ ...unpaid, ...intent(status) })).answer).to.deep.equal({
          status: 'undecided',
          reason: status,
        });
      expect((await closed({ ...unpaid, ...intent('succeeded') })).answer).to.include({ status: 'paid' });
      expect((await closed({ ...unpaid, ...intent('requires_payment_method') })).answer).to.include({
        status: 'closed',
      });
    });

    it("asks after an invoice's page", async () => {
      const debt = onInvoice();
      const invoice = debt.references['invoice'] ?? '';
      expect(await psp.closeCheckout(debt, invoice)).to.deep.equal({ status: 'closed' });
      Object.assign(stripe.invoices.get(invoice) ?? {}, { status: 'paid' });
      expect(await psp.closeCheckout(debt, invoice)).to.include({ status: 'paid' });
    });

    it('does not know when Stripe does not say', async () => {
      const debt = onIntent();
      await stripe.stop();
      expect(await psp.closeCheckout(debt, 'cs_1')).to.include({ status: 'undecided' });
    });
  });

  it('throws without the key when Stripe cannot be reached', async () => {
    await stripe.stop();
    const error = await failureOf(onIntent());
    expect(error).to.have.property('code', 'unavailable');
    const { cause } = error as Error;
    expect(JSON.stringify([error, (cause as Error).message, Object.entries(cause as object)])).to.not.contain(
      'sk_test',
    );
  });
});
