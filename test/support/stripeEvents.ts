/** Stripe events as Stripe sends them, cut down to what matters. `shape`: API versions before or from 2025-03-31. */
export type Shape = 'old' | 'new';

export interface FailureOptions {
  readonly shape?: Shape;
  readonly invoice?: string;
  readonly intent?: string;
  readonly charge?: string;
  readonly amount?: number;
  readonly currency?: string;
  readonly metadata?: Record<string, string>;
  readonly idempotencyKey?: string | null;
  readonly requestId?: string | null;
  readonly attemptCount?: number;
}

let serial = 0;
export const stripeEvent = (type: string, object: object, options: FailureOptions = {}) => ({
  id: `evt_${String(++serial).padStart(6, '0')}`,
  object: 'event',
  api_version: options.shape === 'old' ? '2024-06-20' : '2026-10-28.endive',
  created: 1_795_000_000 + serial,
  type,
  request: { id: options.requestId ?? null, idempotency_key: options.idempotencyKey ?? null },
  data: { object },
});

const card = { brand: 'visa', fingerprint: 'fp_1', last4: '0341', country: 'DE' };
const billing = { email: 'jane@example.com', name: 'Jane Doe' };
const defaults = { intent: 'pi_1', charge: 'ch_1', amount: 4900, currency: 'eur', metadata: {} };

export const intentObject = (options: FailureOptions = {}, extra: object = {}) => {
  const o = { ...defaults, ...options };
  return {
    id: o.intent,
    object: 'payment_intent',
    amount: o.amount,
    amount_received: 0,
    currency: o.currency,
    customer: 'cus_1',
    receipt_email: null,
    metadata: o.metadata,
    latest_charge: o.charge,
    payment_method: null,
    status: 'requires_payment_method',
    ...(o.invoice !== undefined && o.shape === 'old' ? { invoice: o.invoice } : {}),
    ...(o.invoice !== undefined && o.shape !== 'old'
      ? { payment_details: { customer_reference: null, order_reference: o.invoice } }
      : {}),
    last_payment_error: {
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      message: 'Your card has insufficient funds.',
      network_decline_code: '51',
      charge: o.charge,
      payment_method: { id: 'pm_1', object: 'payment_method', type: 'card', card, billing_details: billing },
    },
    ...extra,
  };
};

export const intentFailedEvent = (options: FailureOptions = {}) =>
  stripeEvent('payment_intent.payment_failed', intentObject(options), options);

export const chargeFailedEvent = (options: FailureOptions = {}) => {
  const o = { ...defaults, ...options };
  const charge = {
    id: o.charge,
    object: 'charge',
    amount: o.amount,
    currency: o.currency,
    customer: 'cus_1',
    metadata: o.metadata,
    payment_intent: o.intent,
    payment_method: 'pm_1',
    payment_method_details: { type: 'card', card },
    billing_details: billing,
    failure_code: 'card_declined',
    failure_message: 'Your card has insufficient funds.',
    outcome: { type: 'issuer_declined', reason: 'insufficient_funds', network_decline_code: '51' },
    ...(o.invoice !== undefined ? { invoice: o.invoice } : {}),
  };
  return stripeEvent('charge.failed', charge, options);
};

export const invoiceObject = (options: FailureOptions = {}, extra: object = {}) => {
  const o = { ...defaults, invoice: 'in_1', ...options };
  return {
    id: o.invoice,
    object: 'invoice',
    amount_due: o.amount,
    amount_paid: 0,
    amount_remaining: o.amount,
    currency: o.currency,
    customer: 'cus_1',
    customer_email: 'jane@example.com',
    customer_name: 'Jane Doe',
    attempt_count: o.attemptCount ?? 1,
    metadata: {},
    status: 'open',
    ...(o.shape === 'old'
      ? { charge: o.charge, payment_intent: o.intent }
      : {
          payments: {
            object: 'list',
            data: [
              {
                id: 'inpay_1',
                is_default: true,
                payment: { type: 'payment_intent', payment_intent: intentObject(o) },
              },
            ],
          },
        }),
    ...extra,
  };
};

export const invoiceFailedEvent = (options: FailureOptions = {}) =>
  stripeEvent('invoice.payment_failed', invoiceObject(options), options);
