import { expect } from 'chai';
import type Stripe from 'stripe';
import { failureOf, outcomeOfIntent } from './stripeAnswers.js';

const bank = { id: 'pm_1', type: 'us_bank_account', us_bank_account: { fingerprint: 'ba_fp' } };

describe("Stripe's answers", () => {
  it('tell the rail of a bank debit as its brand', () => {
    const last_payment_error = { type: 'card_error', code: 'no_account', payment_method: bank };
    const failure = { code: 'no_account', card_brand: 'ach' };
    expect(failureOf(last_payment_error)).to.deep.equal(failure);
    const intent = { id: 'pi_1', status: 'requires_payment_method', last_payment_error };
    expect(failureOf({ code: 'no_account', payment_intent: intent as never })).to.deep.equal(failure);
    expect(outcomeOfIntent(intent as unknown as Stripe.PaymentIntent)).to.deep.equal({
      status: 'declined',
      failure,
      reference: 'pi_1',
    });
  });
});
