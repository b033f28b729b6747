import type Stripe from 'stripe';
import { DomainError } from '../../kernel/errors.js';
import type { Checkout, CheckoutPage, ClosedCheckout, Debt } from '../../kernel/ports.js';
import { toStripeAmount } from '../../kernel/stripeAmount.js';
import { EXPAND_INVOICE, outcomeOfInvoice } from './stripeAnswers.js';

/** The SDK's errors hold the request's key in their headers: only their code goes on. */
const unavailable = (error: unknown): DomainError => {
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  return new DomainError('unavailable', 'The payment page cannot be opened at the moment', [], {
    cause: new Error(`Stripe: ${statusCode ?? 'no answer'} ${code ?? ''}`.trim()),
  });
};

const inProgress = (): DomainError =>
  new DomainError('attempt_in_flight', 'A payment of this debt is being processed');

const metadataOf = (debt: Debt, { requestId }: CheckoutPage) => ({
  org_id: debt.orgId,
  payment_id: debt.paymentId,
  recovery_id: debt.recoveryId,
  transaction_ref: debt.transactionRef,
  ...(requestId !== undefined && { request_id: requestId }),
});

const sessionParams = (debt: Debt, page: CheckoutPage): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  client_reference_id: debt.paymentId,
  success_url: page.successUrl,
  cancel_url: page.cancelUrl,
  expires_at: Math.floor(Date.parse(page.expiresAt) / 1000),
  ...(debt.customerId?.startsWith('cus_') === true && { customer: debt.customerId }),
  metadata: metadataOf(debt, page),
  payment_intent_data: { metadata: metadataOf(debt, page) },
  line_items: [
    {
      quantity: 1,
      price_data: {
        currency: debt.currency.toLowerCase(),
        unit_amount: toStripeAmount(debt.amount, debt.currency),
        product_data: { name: `Payment to ${page.merchantName || 'the merchant'}`.slice(0, 250) },
      },
    },
  ],
});

type Known = Checkout | undefined;
interface Call {
  readonly stripe: Stripe;
  readonly options: Stripe.RequestOptions;
}

/** An invoice has a page of its own; paying it elsewhere would leave it open. */
const invoicePage = async (
  { stripe, options }: Call,
  id: string,
  previous: string | undefined,
): Promise<Checkout> => {
  const invoice = await stripe.invoices.retrieve(id, { expand: EXPAND_INVOICE }, options);
  const outcome = outcomeOfInvoice(invoice);
  if (outcome.status === 'succeeded')
    return {
      status: 'already_paid',
      reference: outcome.reference,
      by: previous === id ? 'checkout' : 'other',
    };
  if (invoice.status !== 'open' || typeof invoice.hosted_invoice_url !== 'string')
    throw new DomainError('recovery_closed', 'The invoice cannot be paid any more');
  return { status: 'open', url: invoice.hosted_invoice_url, reference: invoice.id };
};

const ofIntent = async ({ stripe, options }: Call, id: string | undefined): Promise<Known> => {
  if (id === undefined) return undefined;
  const { status } = await stripe.paymentIntents.retrieve(id, {}, options);
  if (status === 'succeeded' || status === 'requires_capture')
    return { status: 'already_paid', reference: id, by: 'other' };
  if (status === 'processing') throw inProgress();
  return undefined;
};

const EXPAND_SESSION = { expand: ['payment_intent'] };

/** A completed session of an asynchronous method stays unpaid until its intent is decided. */
const decisionOf = ({ id, payment_status, payment_intent }: Stripe.Checkout.Session): ClosedCheckout => {
  const intent = typeof payment_intent === 'object' ? payment_intent : null;
  const reference = intent?.id ?? (typeof payment_intent === 'string' ? payment_intent : id);
  if (payment_status !== 'unpaid' || intent?.status === 'succeeded') return { status: 'paid', reference };
  const failed = intent?.status === 'requires_payment_method' || intent?.status === 'canceled';
  return failed ? { status: 'closed' } : { status: 'undecided', reason: intent?.status ?? 'processing' };
};

/** An open page could be paid beside whatever comes next, so it is closed first; it may turn out to be paid. */
const closeSession = async ({ stripe, options }: Call, id: string): Promise<ClosedCheckout> => {
  const look = () => stripe.checkout.sessions.retrieve(id, EXPAND_SESSION, options);
  let session = await look();
  if (session.status === 'open')
    // Refused: it was completed in between.
    session = await stripe.checkout.sessions.expire(id, EXPAND_SESSION, options).catch(look);
  switch (session.status) {
    case 'complete':
      return decisionOf(session);
    case 'expired':
      return { status: 'closed' };
    default:
      return { status: 'undecided', reason: 'checkout_open' };
  }
};

/** An invoice's page stays open, but an invoice is paid once. */
const invoiceDecision = async ({ stripe, options }: Call, id: string): Promise<ClosedCheckout> => {
  const outcome = outcomeOfInvoice(await stripe.invoices.retrieve(id, { expand: EXPAND_INVOICE }, options));
  if (outcome.status === 'succeeded') return { status: 'paid', reference: outcome.reference };
  return outcome.status === 'unknown'
    ? { status: 'undecided', reason: outcome.reason }
    : { status: 'closed' };
};

export const closeStripeCheckout = async (
  stripe: Stripe,
  apiKey: string | undefined,
  reference: string,
  extra: Stripe.RequestOptions,
): Promise<ClosedCheckout> => {
  if (apiKey === undefined) return { status: 'closed' };
  const call = { stripe, options: { ...extra, apiKey } };
  try {
    return await (reference.startsWith('in_') ? invoiceDecision : closeSession)(call, reference);
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    return statusCode === 404
      ? { status: 'closed' }
      : { status: 'undecided', reason: `http_${statusCode ?? 'none'}` };
  }
};

const ofPrevious = async (call: Call, id: string | undefined): Promise<Known> => {
  if (id?.startsWith('cs_') !== true) return undefined;
  const previous = await closeSession(call, id);
  if (previous.status === 'undecided') throw inProgress();
  return previous.status === 'paid' ? { ...previous, status: 'already_paid', by: 'checkout' } : undefined;
};

export const openStripeCheckout = async (
  stripe: Stripe,
  apiKey: string | undefined,
  debt: Debt,
  page: CheckoutPage,
  extra: Stripe.RequestOptions,
): Promise<Checkout> => {
  if (apiKey === undefined) throw new DomainError('unavailable', 'Stripe is not connected');
  const options = { ...extra, apiKey };
  const call = { stripe, options };
  const { invoice, payment_intent: intent } = debt.references;
  try {
    if (invoice !== undefined) return await invoicePage(call, invoice, page.previous);
    const known = (await ofIntent(call, intent)) ?? (await ofPrevious(call, page.previous));
    if (known !== undefined) return known;
    const session = await stripe.checkout.sessions.create(sessionParams(debt, page), {
      ...options,
      idempotencyKey: page.idempotencyKey,
    });
    if (session.url === null) throw new Error('the session has no page');
    return { status: 'open', url: session.url, reference: session.id };
  } catch (error) {
    throw error instanceof DomainError ? error : unavailable(error);
  }
};
