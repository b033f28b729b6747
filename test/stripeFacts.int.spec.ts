import { expect } from 'chai';
import { stripeEventToFacts } from '../src/api/webhooks/stripeEvents.js';
import { StripePsp } from '../src/infra/psp/stripePsp.js';
import { silentLogger } from '../src/kernel/logger.js';
import { aDebt } from './support/debt.js';
import { FakeStripe } from './support/fakeStripe.js';
import { chargeFailedEvent, intentFailedEvent, invoiceObject, stripeEvent } from './support/stripeEvents.js';

describe('Stripe events of API versions whose objects do not name each other', () => {
  let stripe: FakeStripe;
  before(async () => {
    stripe = await FakeStripe.start();
  });
  after(() => stripe.stop());

  it('give one failure one fact, in any order', async () => {
    const apiKey = () => Promise.resolve('sk_test_acme');
    const psp = new StripePsp({
      apiKeyOf: apiKey,
      apiBase: stripe.url,
      logger: silentLogger,
    });
    const error = {
      type: 'card_error',
      charge: 'ch_7',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    };
    const invoice = stripe.invoice({ attempt_count: 1, customer_email: 'jane@example.com', metadata: {} });
    const intent = stripe.invoices.get(invoice)?.['intent'] as string;
    Object.assign(stripe.intents.get(intent) ?? {}, { last_payment_error: error, latest_charge: 'ch_7' });
    const events = [
      stripeEvent('invoice.payment_failed', invoiceObject({ invoice }, { payments: undefined })),
      chargeFailedEvent({ intent, charge: 'ch_7' }),
      intentFailedEvent({ intent, charge: 'ch_7' }),
    ];
    const completed = await Promise.all(events.map((event) => psp.completeEvent(event, apiKey)));
    const facts = completed.flatMap((event) => stripeEventToFacts(event, aDebt().orgId));
    expect(facts).to.have.length(3);
    for (const fact of facts)
      expect(fact).to.deep.include({ transaction_ref: invoice, trigger_id: 'ch_7', amount: 4900 });
    for (const fact of facts)
      expect(fact).to.have.nested.property('failure.decline_code', 'insufficient_funds');
    for (const fact of facts) expect(fact).to.have.nested.property('customer.email', 'jane@example.com');
  });
});
