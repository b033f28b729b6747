import type Stripe from 'stripe';
import { DomainError } from '../../kernel/errors.js';
import { type Json, objectOf } from '../../kernel/json.js';

type ApiKey = () => Promise<string | undefined>;

const INVOICES = ['invoice.payment_failed', 'invoice.payment_succeeded', 'invoice.paid'];
const INTENTS = ['payment_intent.payment_failed', 'payment_intent.succeeded', 'charge.failed'];

const stringOf = (value: unknown, prefix: string): string | undefined =>
  typeof value === 'string' && value.startsWith(prefix) ? value : undefined;

/** The payments of an invoice, with their intents, which hold the charge and its decline. */
const paymentsOf = async (stripe: Stripe, apiKey: string, invoice: string): Promise<Json> => {
  const expand = ['data.payment.payment_intent'];
  return { payments: await stripe.invoicePayments.list({ invoice, expand }, { apiKey }) };
};

/** The invoice of a payment intent, whole: it says how often Stripe has tried, and who the customer is. */
const invoiceOf = async (stripe: Stripe, apiKey: string, intent: string): Promise<Json> => {
  const payment = { type: 'payment_intent', payment_intent: intent } as const;
  const { data } = await stripe.invoicePayments.list(
    { payment, limit: 1, expand: ['data.invoice'] },
    { apiKey },
  );
  return data[0] === undefined ? {} : { invoice: data[0].invoice };
};

/**
 * A success that the merchant's own request led to and that names its invoice says all there is: only of what Stripe
 * did by itself it matters how often it had tried before.
 */
const isWholeSuccess = ({ type, request }: Json, object: Json): boolean =>
  type === 'payment_intent.succeeded' &&
  typeof objectOf(request)?.['id'] === 'string' &&
  stringOf(objectOf(object['payment_details'])?.['order_reference'], 'in_') !== undefined;

/** What the event lacks, as a question to Stripe; undefined when it lacks nothing or is none of ours. */
const questionOf = (event: Json, object: Json) => {
  const { type } = event;
  if (INVOICES.includes(type as string)) {
    const id = stringOf(object['id'], 'in_');
    if (id === undefined || objectOf(object['payments']) !== undefined) return undefined;
    return (stripe: Stripe, apiKey: string) => paymentsOf(stripe, apiKey, id);
  }
  if (!INTENTS.includes(type as string) || objectOf(object['invoice']) !== undefined) return undefined;
  if (isWholeSuccess(event, object)) return undefined;
  // A checkout of ours names the payment itself.
  if (objectOf(object['metadata'])?.['transaction_ref'] !== undefined) return undefined;
  const intent = type === 'charge.failed' ? object['payment_intent'] : object['id'];
  const id = stringOf(intent, 'pi_');
  return id === undefined ? undefined : (stripe: Stripe, apiKey: string) => invoiceOf(stripe, apiKey, id);
};

export const completeStripeEvent = async (stripe: Stripe, apiKeyOf: ApiKey, event: Json): Promise<Json> => {
  const data = objectOf(event['data']);
  const object = objectOf(data?.['object']);
  const question = object && questionOf(event, object);
  if (question === undefined) return event;
  const apiKey = await apiKeyOf();
  if (apiKey === undefined) return event;
  try {
    return { ...event, data: { ...data, object: { ...object, ...(await question(stripe, apiKey)) } } };
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string };
    // Made up for a test, or deleted since: there is nothing more to learn.
    if (statusCode === 404 || code === 'resource_missing') return event;
    throw new DomainError('unavailable', 'Stripe cannot be asked for the rest of the event', [], {
      cause: new Error(`Stripe: ${statusCode ?? 'no answer'}`),
    });
  }
};
