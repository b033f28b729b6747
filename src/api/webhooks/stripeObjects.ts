import { isEmail } from './email.js';
import {
  arrayOf,
  compact,
  idOf,
  integerOf,
  type Json,
  MAX_SECONDS,
  objectOf,
  proseOf,
  textOf,
} from './json.js';
import type { Instant } from '../../kernel/clock.js';
import type { Failure } from '../../kernel/ports.js';
import { strictestAdvice } from '../../kernel/stripeAdvice.js';
import { brandOfMethod, instrumentOf } from '../../kernel/stripeMethod.js';

/** How parts of Stripe's objects, of API versions before and after 2025-03-31, read in our words. */

interface InvoiceRef {
  readonly id?: string;
  /** Present when the invoice was expanded. */
  readonly object?: Json;
}

/** The invoice a payment intent, charge or session belongs to. */
export const invoiceOf = (object: Json): InvoiceRef => {
  const id = idOf(object['invoice']);
  const expanded = objectOf(object['invoice']);
  if (id !== undefined) return { id, ...(expanded && { object: expanded }) };
  // Newer versions name it as the order's reference, in Stripe's own id format.
  const reference = textOf(objectOf(object['payment_details'])?.['order_reference']);
  return reference?.startsWith('in_') ? { id: reference } : {};
};

interface InvoicePayment {
  readonly intent?: Json;
  readonly intentId?: string;
  readonly chargeId?: string;
}

/** The newest payment of an invoice: a field of its own in older versions, the list `payments` in newer ones. */
export const paymentOfInvoice = (invoice: Json): InvoicePayment => {
  const payments = arrayOf(objectOf(invoice['payments'])?.['data'])
    .map(objectOf)
    .filter((each) => each !== undefined);
  const chosen = payments.find((each) => each['is_default'] === true) ?? payments[0];
  const payment = objectOf(chosen?.['payment']);
  const intent = payment?.['payment_intent'] ?? invoice['payment_intent'];
  return compact({
    intent: objectOf(intent),
    intentId: idOf(intent),
    chargeId: idOf(payment?.['charge'] ?? invoice['charge']),
  });
};

/** @param billing an object with `billing_details` */
export const customerOf = (object: Json, invoice: Json | undefined, billing: Json | undefined) => {
  const customer = objectOf(object['customer']);
  const details = objectOf(billing?.['billing_details']);
  const emails = [
    invoice?.['customer_email'],
    object['receipt_email'],
    customer?.['email'],
    details?.['email'],
  ];
  const names = [invoice?.['customer_name'], customer?.['name'], details?.['name']];
  return compact({
    id: idOf(object['customer']),
    email: emails.map((each) => textOf(each, 254)).find((each) => each !== undefined && isEmail(each)),
    name: names.map((each) => textOf(each)).find((each) => each !== undefined),
  });
};

/** When Stripe's own engine charges an invoice next; without `next_at` it does not (any more). */
export const pspRetriesOf = (invoice: Json | undefined): { readonly next_at?: Instant } | undefined => {
  if (invoice === undefined || !('next_payment_attempt' in invoice)) return undefined;
  const next = integerOf(invoice['next_payment_attempt']);
  const known = next !== undefined && next > 0 && next <= MAX_SECONDS;
  return known ? { next_at: new Date(next * 1000).toISOString() } : {};
};

/** @param details a charge's `payment_method_details`, which tell more than the method's id */
export const methodOf = (method: unknown, details?: unknown) => {
  const instrument = instrumentOf(details) ?? instrumentOf(method);
  const last4 = textOf(instrument?.['last4'], 4);
  const country = textOf(instrument?.['country']);
  const found = compact({
    id: idOf(method),
    fingerprint: textOf(instrument?.['fingerprint']),
    last4: last4 !== undefined && /^\d{4}$/.test(last4) ? last4 : undefined,
    country: country !== undefined && /^[A-Z]{2}$/.test(country) ? country : undefined,
  });
  return Object.keys(found).length === 0 ? undefined : found;
};

const code = (value: unknown): string | undefined => textOf(value, 100);

/** Stripe's advice and the network's, of which a failure keeps one. */
const adviceOf = (said: Json | undefined, brand: string | undefined): string | undefined =>
  strictestAdvice(code(said?.['advice_code']), code(said?.['network_advice_code']), brand);

/** Of `last_payment_error`. */
export const failureOfError = (error: Json | undefined): Failure => {
  const brand = code(brandOfMethod(error?.['payment_method']));
  return compact({
    code: code(error?.['code']),
    message: proseOf(error?.['message'], 1000),
    decline_code: code(error?.['decline_code']),
    network_code: code(error?.['network_decline_code']),
    advice_code: adviceOf(error, brand),
    card_brand: brand,
  });
};

/** Of a failed charge, whose `outcome.reason` is the decline code. */
export const failureOfCharge = (charge: Json): Failure => {
  const outcome = objectOf(charge['outcome']);
  const brand = code(brandOfMethod(charge['payment_method_details']));
  return compact({
    code: code(charge['failure_code']),
    message: proseOf(charge['failure_message'], 1000),
    decline_code: code(outcome?.['reason']),
    network_code: code(outcome?.['network_decline_code']),
    advice_code: adviceOf(outcome, brand),
    card_brand: brand,
  });
};
