import { expect } from 'chai';
import fc from 'fast-check';
import { createAjv } from '../../events/ajv.js';
import { paymentEvents } from '../../events/payment.js';
import { isDomainError } from '../../kernel/errors.js';
import {
  chargeFailedEvent,
  intentFailedEvent,
  intentObject,
  invoiceFailedEvent,
  invoiceObject,
  stripeEvent,
} from '../../../test/support/stripeEvents.js';
import {
  parseIdempotencyKey,
  type StripeFact,
  type StripeFailure,
  stripeEventToFacts,
} from './stripeEvents.js';

const ORG = '7c9e6679-7425-50de-944b-e07fc1f90ae7';
const RECOVERY = '1b4e28ba-2fa1-51d2-883f-0016d3cca427';
const ownKey = `${ORG}:${RECOVERY}:2`;

const ajv = createAjv();
const validFailure = ajv.compile(paymentEvents.PaymentFailed);
const validSuccess = ajv.compile(paymentEvents.PaymentSucceeded);

/** Every fact can be stored: it meets the schema of the event it becomes. */
const assertStorable = (fact: StripeFact): void => {
  const { occurred_at, own_attempt, automatic, ...rest } = fact;
  expect(automatic).to.be.a('boolean');
  if (own_attempt !== undefined) expect(own_attempt.attempt).to.be.a('number');
  if (rest.kind === 'failed') {
    const { kind: _, ...data } = rest;
    expect(
      validFailure({ ...data, late: false, failed_at: occurred_at }),
      ajv.errorsText(validFailure.errors),
    ).to.equal(true);
  } else {
    const { kind: _, references: __, ...data } = rest;
    expect(
      validSuccess({ ...data, succeeded_at: occurred_at }),
      ajv.errorsText(validSuccess.errors),
    ).to.equal(true);
  }
};

const only = (event: unknown): StripeFact => {
  const [fact, ...more] = stripeEventToFacts(event, ORG);
  if (fact === undefined || more.length > 0) return expect.fail('not exactly one fact');
  assertStorable(fact);
  return fact;
};

describe('Stripe events: failures', () => {
  it('reads a payment intent', () => {
    expect(only(intentFailedEvent({ metadata: { order: '17' } }))).to.deep.include({
      kind: 'failed',
      gateway: 'stripe',
      transaction_ref: 'pi_1',
      amount: 4900,
      currency: 'EUR',
      trigger_id: 'ch_1',
      customer: { id: 'cus_1', email: 'jane@example.com', name: 'Jane Doe' },
      failure: {
        code: 'card_declined',
        message: 'Your card has insufficient funds.',
        decline_code: 'insufficient_funds',
        network_code: '51',
        card_brand: 'visa',
      },
      payment_method: { id: 'pm_1', fingerprint: 'fp_1', last4: '0341', country: 'DE' },
      references: { payment_intent: 'pi_1' },
      metadata: { order: '17' },
    });
  });

  it("tells of Stripe's own retries: when the next one is, that there is none, nothing where nobody knows", () => {
    const failed = (invoice: object) =>
      stripeEventToFacts(stripeEvent('invoice.payment_failed', invoice), ORG)[0] as StripeFailure;
    const invoice = (next: unknown) => invoiceObject({}, { next_payment_attempt: next });
    expect(failed(invoice(1_800_000_000)).psp_retries).to.deep.equal({ next_at: '2027-01-15T08:00:00.000Z' });
    for (const none of [null, 0, -1, 1e15, 'soon'])
      expect(failed(invoice(none)).psp_retries).to.deep.equal({});
    expect(failed(invoiceObject())).to.not.have.property('psp_retries');
    const charge = { ...chargeFailedEvent().data.object, invoice: invoice(1_800_000_000) };
    expect(stripeEventToFacts(stripeEvent('charge.failed', charge), ORG)[0]).to.deep.include({
      psp_retries: { next_at: '2027-01-15T08:00:00.000Z' },
    });
  });

  it('takes no country that is none', () => {
    for (const country of ['Germany', 'de', '', 49, null]) {
      const charge = { payment_method_details: { type: 'card', card: { last4: '0341', country } } };
      const { data, ...event } = chargeFailedEvent();
      const fact = only({ ...event, data: { object: { ...(data.object as object), ...charge } } });
      expect(fact).to.have.deep.property('payment_method', { id: 'pm_1', last4: '0341' });
    }
  });

  const bank = { fingerprint: 'ba_fp', last4: '6789' };
  const debits: readonly [string, object, string | undefined][] = [
    ['us_bank_account', bank, 'ach'],
    ['sepa_debit', { ...bank, country: 'DE' }, undefined],
    ['upi', { vpa: 'jane@bank' }, 'upi'],
  ];
  for (const [type, instrument, brand] of debits)
    it(`reads a failed debit of ${type} with its rail and its account, whatever reports it`, () => {
      const method = { type, [type]: instrument };
      const { vpa: _, ...kept } = instrument as { vpa?: string };
      const payment_method = { id: 'pm_1', ...kept };
      const failed = { failure_code: 'insufficient_funds', failure_message: null, outcome: null };
      const charge = { ...chargeFailedEvent().data.object, ...failed, payment_method_details: method };
      const error = { code: 'insufficient_funds', payment_method: { id: 'pm_1', ...method } };
      const intent = intentObject({}, { last_payment_error: error });
      const failure = { code: 'insufficient_funds', ...(brand !== undefined && { card_brand: brand }) };
      for (const event of [
        stripeEvent('charge.failed', charge),
        stripeEvent('payment_intent.payment_failed', intent),
      ])
        expect(only(event)).to.deep.include({ failure, payment_method });
    });

  for (const shape of ['old', 'new'] as const)
    it(`gives one failure one trigger and one reference, whatever reports it (${shape} API shape)`, () => {
      const options = { shape, invoice: 'in_7' };
      const facts = [intentFailedEvent(options), chargeFailedEvent(options), invoiceFailedEvent(options)].map(
        only,
      );
      expect(new Set(facts.map((fact) => fact.trigger_id))).to.deep.equal(new Set(['ch_1']));
      expect(new Set(facts.map((fact) => fact.transaction_ref))).to.deep.equal(new Set(['in_7']));
      expect(new Set(facts.map((fact) => `${fact.amount} ${fact.currency}`))).to.deep.equal(
        new Set(['4900 EUR']),
      );
    });

  it('takes the reference of the merchant when there is one', () => {
    const metadata = { transaction_ref: 'order-17' };
    for (const event of [intentFailedEvent({ metadata }), chargeFailedEvent({ metadata })])
      expect(only(event).transaction_ref).to.equal('order-17');
    const expanded = { invoice: { id: 'in_7', metadata } };
    const event = stripeEvent('payment_intent.payment_failed', intentObject({}, expanded));
    expect(only(event).transaction_ref).to.equal('order-17');
  });

  it('tells the attempts of an invoice apart that names no charge', () => {
    const bare = (attempt: number) =>
      stripeEvent(
        'invoice.payment_failed',
        invoiceObject({ attemptCount: attempt }, { payments: undefined }),
      );
    expect(only(bare(1)).trigger_id).to.equal('in_1:attempt:1');
    expect(only(bare(2)).trigger_id).to.equal('in_1:attempt:2');
  });

  it('names a failed authentication, which has no charge, by intent and code', () => {
    const error = { type: 'invalid_request_error', code: 'payment_intent_authentication_failure' };
    const event = stripeEvent(
      'payment_intent.payment_failed',
      intentObject({}, { last_payment_error: error, latest_charge: null }),
    );
    expect(only(event).trigger_id).to.equal('pi_1:payment_intent_authentication_failure:none');
  });

  it('knows the answer to a charge of its own', () => {
    expect(only(intentFailedEvent({ idempotencyKey: ownKey })).own_attempt?.attempt).to.equal(
      Number(ownKey.split(':')[2]),
    );
    expect(only(intentFailedEvent({ idempotencyKey: 'in_1-initial_attempt-x' })).own_attempt).to.equal(
      undefined,
    );
  });

  it('takes no decline at a checkout of ours for one of the stored card', () => {
    const metadata = { transaction_ref: 'order-17', recovery_id: RECOVERY };
    for (const event of [intentFailedEvent({ metadata }), chargeFailedEvent({ metadata })])
      expect(stripeEventToFacts(event, ORG)).to.deep.equal([]);
  });

  it('keeps the strictest advice, and that of the network only for its own cards', () => {
    const withAdvice = (advice_code: string, network_advice_code: string, brand = 'mastercard') => {
      const object = intentObject();
      const payment_method = { id: 'pm_1', card: { brand } };
      Object.assign(object.last_payment_error, { advice_code, network_advice_code, payment_method });
      const fact = only(stripeEvent('payment_intent.payment_failed', object));
      return fact.kind === 'failed' ? fact.failure.advice_code : undefined;
    };
    expect(withAdvice('do_not_try_again', '02')).to.equal('do_not_try_again');
    expect(withAdvice('do_not_try_again', '03')).to.equal('03');
    expect(withAdvice('try_again_later', '24')).to.equal('24');
    expect(withAdvice('do_not_try_again', '03', 'visa')).to.equal('do_not_try_again');
  });

  it('counts in ISO 4217 where Stripe does not', () => {
    expect(only(intentFailedEvent({ currency: 'isk', amount: 50_000 })).amount).to.equal(500);
    expect(only(intentFailedEvent({ currency: 'jpy', amount: 500 })).amount).to.equal(500);
  });

  it('leaves out an address that is none, and a zero amount', () => {
    const object = intentObject({}, { receipt_email: 'a@b,c@d.example' });
    expect(only(stripeEvent('payment_intent.payment_failed', object))).to.have.nested.property(
      'customer.email',
      'jane@example.com',
    );
    expect(stripeEventToFacts(intentFailedEvent({ amount: 0 }), ORG)).to.deep.equal([]);
  });
});

describe('Stripe events: successes', () => {
  const paidIntent = (extra: object = {}) =>
    intentObject({}, { status: 'succeeded', amount_received: 4900, last_payment_error: null, ...extra });
  const paidInvoice = (attemptCount: number) =>
    invoiceObject({ attemptCount }, { amount_paid: 4900, amount_remaining: 0, status: 'paid' });

  it('says who brought the money in', () => {
    const source = (event: object) => {
      const fact = only(event);
      return fact.kind === 'succeeded' ? fact.source : undefined;
    };
    const type = 'payment_intent.succeeded';
    expect(source(stripeEvent(type, paidIntent()))).to.equal('external');
    expect(source(stripeEvent(type, paidIntent(), { idempotencyKey: ownKey }))).to.equal('our_retry');
    expect(source(stripeEvent(type, paidIntent({ metadata: { recovery_id: RECOVERY } })))).to.equal('link');
    expect(source(stripeEvent('invoice.payment_succeeded', paidInvoice(2)))).to.equal('psp_retry');
    expect(source(stripeEvent('invoice.paid', paidInvoice(1)))).to.equal('external');
    expect(source(stripeEvent('invoice.paid', paidInvoice(2), { requestId: 'req_1' }))).to.equal('external');
    expect(source(stripeEvent('invoice.paid', paidInvoice(2), { idempotencyKey: ownKey }))).to.equal(
      'our_retry',
    );
    expect(source(stripeEvent(type, paidIntent({ invoice: paidInvoice(3) })))).to.equal('psp_retry');
  });

  it('gives one success one trigger', () => {
    const intent = only(stripeEvent('payment_intent.succeeded', paidIntent({ invoice: 'in_1' })));
    const invoice = only(stripeEvent('invoice.payment_succeeded', paidInvoice(1)));
    expect(intent).to.deep.include({ transaction_ref: 'in_1', trigger_id: 'pi_1', amount: 4900 });
    expect(invoice).to.deep.include({ transaction_ref: 'in_1', trigger_id: 'pi_1', amount: 4900 });
  });

  it('takes a checkout as paid only when it is', () => {
    const session = (payment_status: string) => ({
      id: 'cs_1',
      object: 'checkout.session',
      mode: 'payment',
      payment_status,
      payment_intent: 'pi_9',
      amount_total: 4900,
      currency: 'eur',
      metadata: { transaction_ref: 'order-17', recovery_id: RECOVERY },
    });
    const completed = 'checkout.session.completed';
    expect(stripeEventToFacts(stripeEvent(completed, session('unpaid')), ORG)).to.deep.equal([]);
    const fact = { transaction_ref: 'order-17', source: 'link', trigger_id: 'pi_9', amount: 4900 };
    expect(only(stripeEvent(completed, session('paid')))).to.deep.include(fact);
    const later = 'checkout.session.async_payment_succeeded';
    expect(only(stripeEvent(later, session('paid')))).to.deep.include(fact);
  });
});

describe('Stripe events: whatever else comes in', () => {
  const samples = [
    intentFailedEvent({ invoice: 'in_1', shape: 'old' }),
    intentFailedEvent({ metadata: { transaction_ref: 'x' } }),
    chargeFailedEvent(),
    invoiceFailedEvent({ shape: 'old' }),
    invoiceFailedEvent(),
    stripeEvent('payment_intent.succeeded', intentObject({}, { amount_received: 4900 })),
    stripeEvent('invoice.payment_succeeded', invoiceObject({}, { amount_paid: 4900 })),
    stripeEvent('checkout.session.completed', {
      id: 'cs_1',
      payment_status: 'paid',
      amount_total: 1,
      currency: 'eur',
    }),
  ];

  const mapped = (event: unknown): StripeFact[] => {
    try {
      return stripeEventToFacts(event, ORG);
    } catch (error) {
      if (!isDomainError(error)) throw error;
      return [];
    }
  };

  /** All paths to a value inside the object. */
  const pathsOf = (value: unknown, path: string[] = []): string[][] =>
    typeof value === 'object' && value !== null
      ? [path, ...Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...path, key]))]
      : [path];

  const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown =>
    key === undefined
      ? by
      : Array.isArray(value)
        ? value.map((each, index) => (String(index) === key ? replaced(each, rest, by) : (each as unknown)))
        : { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) };

  it('ignores types that do not concern it', () => {
    expect(stripeEventToFacts(stripeEvent('customer.created', {}), ORG)).to.deep.equal([]);
    expect(stripeEventToFacts(stripeEvent('constructor', {}), ORG)).to.deep.equal([]);
  });

  it('throws nothing but a DomainError for random JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => void mapped(json)));
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.jsonValue(), (sample, json) => {
        mapped({ ...sample, data: { object: json } });
      }),
    );
  });

  it('gives only storable facts for mutated events', function () {
    this.timeout(30_000);
    const values = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.double(),
      fc.constantFrom(null, undefined, '\0', '\ud800', -1, 1e308, 2 ** 53, 'x'.repeat(5000), [], {}),
    );
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), values, (sample, at, value) => {
        const paths = pathsOf(sample);
        mapped(replaced(sample, paths[at % paths.length] ?? [], value)).forEach(assertStorable);
      }),
      { numRuns: 2000 },
    );
  });

  it('is stable: duplicates and another order give the same facts', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...samples, ...samples]), (events) => {
        const forwards = events.flatMap(mapped).map((fact) => JSON.stringify(fact));
        const backwards = [...events]
          .reverse()
          .flatMap(mapped)
          .map((fact) => JSON.stringify(fact));
        expect(new Set(forwards)).to.deep.equal(new Set(backwards));
      }),
    );
  });
});

describe('our idempotency key', () => {
  it('is read strictly', () => {
    expect(parseIdempotencyKey(ownKey)).to.deep.equal({ orgId: ORG, recoveryId: RECOVERY, attempt: 2 });
    for (const key of [
      '',
      'a:b:1',
      `${ORG}:${RECOVERY}:0`,
      `${ORG}:${RECOVERY}:x`,
      `${ownKey}:1`,
      `${ownKey} `,
    ])
      expect(parseIdempotencyKey(key)).to.equal(undefined);
  });
});
