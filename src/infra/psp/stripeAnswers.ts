import type Stripe from 'stripe';
import type { ChargeOutcome, Failure } from '../../kernel/ports.js';
import { strictestAdvice } from '../../kernel/stripeAdvice.js';
import { brandOfMethod } from '../../kernel/stripeMethod.js';

/** How Stripe's answers to a charge read as outcomes. */

interface StripeFailure {
  readonly type?: string;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly decline_code?: string | undefined;
  readonly network_decline_code?: string | undefined;
  readonly advice_code?: string | undefined;
  readonly network_advice_code?: string | undefined;
  readonly charge?: string | undefined;
  readonly payment_method?: unknown;
  readonly payment_intent?: Stripe.PaymentIntent | undefined;
}

/** As the SDK's errors carry it, whatever their class. */
export interface StripeFault extends StripeFailure {
  readonly statusCode?: number;
  readonly rawType?: string;
}

const filled = (fields: Record<string, string | undefined>): Failure =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''));

export const failureOf = (error: StripeFailure): Failure => {
  const brand = brandOfMethod(
    error.payment_method ?? error.payment_intent?.last_payment_error?.payment_method,
  );
  return filled({
    code: error.code?.slice(0, 100),
    message: error.message?.slice(0, 1000),
    decline_code: error.decline_code,
    network_code: error.network_decline_code,
    advice_code: strictestAdvice(error.advice_code, error.network_advice_code, brand),
    card_brand: brand,
  });
};

const declined = (failure: Failure, reference?: string): ChargeOutcome => ({
  status: 'declined',
  failure,
  ...(reference !== undefined && { reference }),
});

export const unknown = (reason: string): ChargeOutcome => ({ status: 'unknown', reason });

/**
 * What the state of a payment intent says. `requires_capture` counts as success: the bank agreed, and capturing is
 * the merchant's own step. An intent that waits for a method has failed, unless it was never tried.
 */
export const outcomeOfIntent = (intent: Stripe.PaymentIntent): ChargeOutcome => {
  const error = intent.last_payment_error;
  switch (intent.status) {
    case 'succeeded':
    case 'requires_capture':
      return { status: 'succeeded', reference: intent.id };
    case 'processing':
      return unknown('processing');
    case 'requires_action':
      return declined({ code: 'authentication_required' }, intent.id);
    case 'canceled':
      return declined({ code: 'payment_intent_canceled' }, intent.id);
    default:
      return error === null || error === undefined
        ? { status: 'not_found' }
        : declined(failureOf(error), intent.id);
  }
};

export const EXPAND_INVOICE = ['payments.data.payment.payment_intent'];

/** An invoice names its payment only when it was expanded. */
export const intentOfInvoice = (invoice: Stripe.Invoice): Stripe.PaymentIntent | undefined => {
  const payments = invoice.payments?.data ?? [];
  const { payment } = payments.find((each) => each.is_default) ?? payments[0] ?? {};
  return typeof payment?.payment_intent === 'object' ? payment.payment_intent : undefined;
};

export const outcomeOfInvoice = (invoice: Stripe.Invoice): ChargeOutcome => {
  const intent = intentOfInvoice(invoice);
  if (invoice.status === 'paid') return { status: 'succeeded', reference: intent?.id ?? invoice.id };
  if (invoice.status === 'void' || invoice.status === 'uncollectible')
    return declined({ code: `invoice_${invoice.status}` }, invoice.id);
  return intent === undefined ? { status: 'not_found' } : outcomeOfIntent(intent);
};

/** Requests that Stripe did not act on, or not yet. */
const isTransient = (fault: StripeFault): string | undefined => {
  if (fault.statusCode === undefined)
    return /timed? ?out|timeout/i.test(fault.message ?? '') ? 'timeout' : 'network_error';
  if (fault.statusCode === 409) return 'idempotency_in_progress';
  if (fault.rawType === 'idempotency_error') return 'idempotency_key_of_another_request';
  if (fault.statusCode === 429) return fault.code === 'lock_timeout' ? 'lock_timeout' : 'rate_limited';
  return fault.statusCode >= 500 ? `http_${fault.statusCode}` : undefined;
};

/** Undefined: Stripe refused the request because of the object's state, so the object has to be asked. */
export const outcomeOfFault = (fault: StripeFault): ChargeOutcome | undefined => {
  const transient = isTransient(fault);
  if (transient !== undefined) return unknown(transient);
  if (fault.statusCode === 401 || fault.statusCode === 403) return declined({ code: 'psp_not_authorized' });
  if (fault.statusCode === 402 && fault.code === 'invoice_payment_intent_requires_action')
    return declined({ ...failureOf(fault), code: 'authentication_required' });
  if (fault.statusCode === 402) return declined(failureOf(fault), fault.charge ?? fault.payment_intent?.id);
  const { payment_intent: intent } = fault;
  if (intent !== undefined && ['succeeded', 'processing', 'requires_capture'].includes(intent.status))
    return outcomeOfIntent(intent);
  return undefined;
};

/** The refusal itself, when the object's state does not explain it. */
export const refusalOf = (fault: StripeFault): ChargeOutcome =>
  declined({ ...failureOf(fault), code: fault.code ?? 'invalid_request' });
