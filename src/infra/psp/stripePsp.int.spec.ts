import { expect } from 'chai';
import { aDebt, keyOf } from '../../../test/support/debt.js';
import { FakeStripe } from '../../../test/support/fakeStripe.js';
import {
  chargeFailedEvent,
  intentFailedEvent,
  invoiceFailedEvent,
  invoiceObject,
  stripeEvent,
} from '../../../test/support/stripeEvents.js';
import { silentLogger } from '../../kernel/logger.js';
import type { Debt } from '../../kernel/ports.js';
import { StripePsp, type StripePspOptions } from './stripePsp.js';

describe('Stripe PSP', () => {
  let stripe: FakeStripe;
  let psp: StripePsp;
  const pspWith = (changes: Partial<StripePspOptions> = {}) =>
    new StripePsp({
      apiKeyOf: () => Promise.resolve('sk_test_acme'),
      apiBase: stripe.url,
      timeout: 300,
      logger: silentLogger,
      ...changes,
    });
  beforeEach(async () => {
    stripe = await FakeStripe.start();
    psp = pspWith();
  });
  afterEach(() => stripe.stop());

  const owed = (references: Record<string, string>, paymentMethodId = 'pm_card_visa'): Debt =>
    aDebt({ gateway: 'stripe', references, paymentMethodId });
  const onIntent = (paymentMethodId?: string, fields = {}) =>
    owed({ payment_intent: stripe.intent(fields) }, paymentMethodId);
  const onInvoice = (paymentMethodId?: string, fields = {}) =>
    owed({ invoice: stripe.invoice(fields) }, paymentMethodId);

  describe('charge', () => {
    it("confirms the payment intent off-session under our key and the organization's", async () => {
      const debt = onIntent();
      const intent = debt.references['payment_intent'];
      expect(await psp.charge(debt, keyOf(debt))).to.deep.equal({ status: 'succeeded', reference: intent });
      expect(stripe.requests).to.have.length(1);
      expect(stripe.requests[0]).to.deep.include({
        path: `/v1/payment_intents/${intent}/confirm`,
        key: keyOf(debt),
        authorization: 'Bearer sk_test_acme',
        form: { payment_method: 'pm_card_visa', off_session: 'true' },
      });
    });

    it("names the request that led there, beside Stripe's own", async () => {
      const debt = onIntent();
      await psp.charge(debt, keyOf(debt), 'req-1');
      await psp.lookup(debt, keyOf(debt), 'req-2');
      expect(stripe.requests.map(({ requestId }) => requestId)).to.deep.equal(['req-1', 'req-2']);
    });

    it('pays the invoice when there is one', async () => {
      const debt = onInvoice();
      expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
      expect(stripe.requests[0]?.path).to.equal(`/v1/invoices/${debt.references['invoice']}/pay`);
      expect(stripe.charged).to.have.length(1);
    });

    it('charges once per key', async () => {
      const debt = onIntent();
      const first = await psp.charge(debt, keyOf(debt));
      expect(await psp.charge(debt, keyOf(debt))).to.deep.equal(first);
      expect(stripe.charged).to.have.length(1);
    });

    it('asks no other thing under the same key', async () => {
      const debt = onIntent();
      await psp.charge(debt, keyOf(debt));
      expect(await psp.charge({ ...debt, paymentMethodId: 'pm_other' }, keyOf(debt))).to.include({
        status: 'succeeded',
      });
      const declined = onIntent('pm_card_chargeDeclined');
      await psp.charge(declined, keyOf(declined));
      expect(await psp.charge({ ...declined, paymentMethodId: 'pm_other' }, keyOf(declined))).to.deep.equal({
        status: 'unknown',
        reason: 'idempotency_key_of_another_request',
      });
    });

    for (const on of [onIntent, onInvoice])
      it(`tells a decline with all its codes (${on === onIntent ? 'intent' : 'invoice'})`, async () => {
        stripe.declineExtras = { advice_code: 'try_again_later', network_advice_code: '24' };
        const debt = on('pm_card_chargeDeclinedInsufficientFunds');
        const answer = await psp.charge(debt, keyOf(debt));
        expect(answer).to.deep.include({
          status: 'declined',
          failure: {
            code: 'card_declined',
            decline_code: 'insufficient_funds',
            network_code: '51',
            advice_code: 'try_again_later',
            card_brand: 'visa',
            message: 'Your card was declined.',
          },
        });
        expect(await psp.charge(debt, keyOf(debt))).to.deep.equal(answer);
      });

    it('takes a wish for authentication as a decline', async () => {
      const declined = onIntent('pm_card_authenticationRequired');
      expect(await psp.charge(declined, keyOf(declined))).to.have.nested.property(
        'failure.code',
        'authentication_required',
      );
      const waiting = onIntent();
      stripe.next({ id: 'pi_x', object: 'payment_intent', status: 'requires_action' });
      expect(await psp.charge(waiting, keyOf(waiting))).to.have.nested.property(
        'failure.code',
        'authentication_required',
      );
    });

    it('takes a paid object as paid', async () => {
      for (const debt of [
        onIntent(undefined, { status: 'succeeded' }),
        onInvoice(undefined, { status: 'paid' }),
      ])
        expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
      expect(stripe.charged).to.deep.equal([]);
    });

    it('tells what can never be charged', async () => {
      const codeOf = async (debt: Debt, by = psp) => {
        const answer = await by.charge(debt, keyOf(debt));
        return answer.status === 'declined' ? answer.failure.code : answer.status;
      };
      expect(await codeOf(onIntent(undefined, { status: 'canceled' }))).to.equal(
        'payment_intent_unexpected_state',
      );
      expect(await codeOf(onInvoice(undefined, { status: 'void' }))).to.equal('invalid_request');
      expect(await codeOf(owed({ payment_intent: 'pi_none' }))).to.equal('resource_missing');
      expect(await codeOf(owed({}))).to.equal('no_payment_reference');
      const unconnected = pspWith({ apiKeyOf: () => Promise.resolve(undefined) });
      expect(await codeOf(onIntent(), unconnected)).to.equal('psp_not_connected');
      stripe.next(401);
      expect(await codeOf(onIntent())).to.equal('psp_not_authorized');
    });

    it('does not know when Stripe does not say, and asks no second time by itself', async () => {
      const reasonOf = async (debt: Debt, by = psp) => {
        const answer = await by.charge(debt, keyOf(debt));
        return answer.status === 'unknown' ? answer.reason : answer.status;
      };
      stripe.next('hang');
      expect(await reasonOf(onIntent())).to.equal('timeout');
      expect(stripe.requests).to.have.length(1);
      // The SDK asks once more, under the same key, when the link was closed under it.
      stripe.next('refuse');
      stripe.next('refuse');
      expect(await reasonOf(onIntent())).to.equal('network_error');
      expect(new Set(stripe.requests.slice(1).map((request) => request.key))).to.have.property('size', 1);
      stripe.next(429);
      expect(await reasonOf(onIntent())).to.equal('rate_limited');
      stripe.next(409);
      expect(await reasonOf(onIntent())).to.equal('idempotency_in_progress');
      stripe.next(500);
      expect(await reasonOf(onIntent())).to.equal('http_500');
      expect(await reasonOf(onIntent(undefined, { status: 'processing' }))).to.equal('processing');
      const vaultDown = pspWith({ apiKeyOf: () => Promise.reject(new Error('down')) });
      expect(await reasonOf(onIntent(), vaultDown)).to.equal('unavailable');
      expect(stripe.charged).to.deep.equal([]);
    });

    it('charges once when the answer is lost and the same key asks again', async () => {
      for (const debt of [onIntent(), onInvoice()]) {
        stripe.charged.splice(0);
        stripe.next('lose');
        expect(await psp.charge(debt, keyOf(debt))).to.deep.equal({
          status: 'unknown',
          reason: 'timeout',
        });
        expect(stripe.charged).to.have.length(1);
        expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
        expect(stripe.charged).to.have.length(1);
      }
    });

    it('charges once when the link is cut after the charge', async () => {
      const debt = onIntent();
      stripe.next('drop');
      expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
      expect(stripe.charged).to.have.length(1);
    });

    it('believes a decline that ended the processing', async () => {
      const debt = onIntent();
      stripe.next({ id: 'pi_x', object: 'payment_intent', status: 'processing' });
      expect(await psp.charge(debt, keyOf(debt))).to.have.property('reason', 'processing');
      const last_payment_error = {
        code: 'payment_method_provider_decline',
        decline_code: 'insufficient_funds',
      };
      Object.assign(stripe.intents.get(debt.references['payment_intent'] ?? '') ?? {}, {
        last_payment_error,
      });
      expect(await psp.charge(debt, keyOf(debt))).to.have.nested.property(
        'failure.decline_code',
        'insufficient_funds',
      );
    });

    it('believes the object when a stored 500 or processing comes back', async () => {
      for (const trouble of [500, { id: 'pi_x', object: 'payment_intent', status: 'processing' }]) {
        const debt = onIntent();
        stripe.next(trouble);
        expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'unknown');
        Object.assign(stripe.intents.get(debt.references['payment_intent'] ?? '') ?? {}, {
          status: 'succeeded',
        });
        expect(await psp.charge(debt, keyOf(debt))).to.have.property('status', 'succeeded');
      }
    });
  });

  describe('stopping its own retries', () => {
    it('keeps the invoice from advancing by itself, and again is the same', async () => {
      const debt = onInvoice();
      const invoice = debt.references['invoice'] ?? '';
      expect(await psp.stopRetries(debt, 'req-1')).to.deep.equal({ status: 'stopped' });
      expect(await psp.stopRetries(debt, 'req-1')).to.deep.equal({ status: 'stopped' });
      expect(stripe.invoices.get(invoice)).to.include({ auto_advance: false, status: 'open' });
      expect(stripe.requests[0]).to.deep.include({
        method: 'POST',
        path: `/v1/invoices/${invoice}`,
        authorization: 'Bearer sk_test_acme',
        form: { auto_advance: 'false' },
        requestId: 'req-1',
      });
      expect(await psp.charge(debt, keyOf(debt))).to.include({ status: 'succeeded' });
    });

    it('leaves them to Stripe where there is no invoice, no key, or Stripe refuses', async () => {
      const left = (reason: string) => ({ status: 'left', reason });
      expect(await psp.stopRetries(onIntent())).to.deep.equal(left('no_invoice'));
      expect(await psp.stopRetries(owed({ invoice: 'in_none' }))).to.deep.equal(left('resource_missing'));
      const keyless = pspWith({ apiKeyOf: () => Promise.resolve(undefined) });
      expect(await keyless.stopRetries(onInvoice())).to.deep.equal(left('psp_not_connected'));
    });

    for (const trouble of [500, 429, 409, 'hang'] as const)
      it(`does not know after ${trouble}`, async () => {
        const debt = onInvoice();
        stripe.next(trouble);
        expect(await psp.stopRetries(debt)).to.include({ status: 'undecided' });
      });
  });

  describe('lookup', () => {
    it('says what became of it, and never charges', async () => {
      const lookup = (debt: Debt) => psp.lookup(debt, keyOf(debt));
      expect(await lookup(onIntent())).to.deep.equal({ status: 'not_found' });
      expect(await lookup(onIntent(undefined, { status: 'succeeded' }))).to.have.property(
        'status',
        'succeeded',
      );
      expect(await lookup(onInvoice(undefined, { status: 'paid' }))).to.have.property('status', 'succeeded');
      expect(await lookup(onInvoice(undefined, { status: 'void' }))).to.have.nested.property(
        'failure.code',
        'invoice_void',
      );
      expect(await lookup(owed({ payment_intent: 'pi_none' }))).to.deep.equal({ status: 'not_found' });
      const declined = onIntent('pm_card_chargeDeclined');
      const answer = await psp.charge(declined, keyOf(declined));
      expect(answer).to.have.property('status', 'declined');
      expect(await lookup(declined)).to.have.nested.property('failure.decline_code', 'generic_decline');
      await stripe.stop();
      expect(await lookup(onIntent())).to.deep.equal({ status: 'unknown', reason: 'unavailable' });
      expect(stripe.charged).to.deep.equal([]);
    });
  });

  describe('completing an event', () => {
    const apiKey = () => Promise.resolve('sk_test_acme');
    type Objects = { data: { object: Record<string, never> } };
    const complete = async (event: object) =>
      ((await psp.completeEvent(event as Record<string, unknown>, apiKey)) as unknown as Objects).data.object;

    it('finds the invoice of an intent or charge, and the payment of an invoice', async () => {
      const invoice = stripe.invoice({ attempt_count: 2 });
      const intent = stripe.invoices.get(invoice)?.['intent'] as string;
      expect(await complete(intentFailedEvent({ intent }))).to.have.nested.property('invoice.id', invoice);
      expect(await complete(chargeFailedEvent({ intent }))).to.have.nested.property(
        'invoice.attempt_count',
        2,
      );
      const bare = invoiceObject({ invoice }, { payments: undefined });
      expect(await complete(stripeEvent('invoice.payment_failed', bare))).to.have.nested.property(
        'payments.data[0].payment.payment_intent.id',
        intent,
      );
    });

    it('asks nothing for what is whole or not ours, and bears an unknown object', async () => {
      const whole = [invoiceFailedEvent(), stripeEvent('customer.created', { id: 'cus_1' })];
      for (const event of whole) expect(await psp.completeEvent(event, apiKey)).to.equal(event);
      expect(stripe.requests).to.deep.equal([]);
      expect(await complete(intentFailedEvent({ intent: 'pi_unknown' }))).to.not.have.property('invoice');
      for (const odd of [{}, { type: 'charge.failed' }, { type: 'charge.failed', data: { object: 7 } }])
        expect(await psp.completeEvent(odd, apiKey)).to.equal(odd);
    });

    it('has Stripe send the event again when it cannot ask', async () => {
      await stripe.stop();
      const error = await psp.completeEvent(intentFailedEvent(), apiKey).catch((thrown: unknown) => thrown);
      expect(error).to.have.property('code', 'unavailable');
    });
  });
});
