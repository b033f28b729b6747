import type Stripe from 'stripe';
import { DomainError } from '../../kernel/errors.js';
import type { Checkout, CheckoutPage, Debt } from '../../kernel/ports.js';
import { toStripeAmount } from '../../kernel/stripeAmount.js';

/** The SDK's errors hold the request's key in their headers: only their code goes on. */
const unavailable = (error: unknown): DomainError => {
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  return new DomainError('unavailable', 'The payment page cannot be opened at the moment', [], {
    cause: new Error(`Stripe: ${statusCode ?? 'no answer'} ${code ?? ''}`.trim()),
  });
};

const inProgress = (): DomainError =>
  new DomainError('unavailable', 'A payment is being processed: please try again later');

const metadataOf = (debt: Debt) => ({
  org_id: debt.orgId,
  payment_id: debt.paymentId,
  recovery_id: debt.recoveryId,
  transaction_ref: debt.transactionRef,
});

const sessionParams = (debt: Debt, page: CheckoutPage): Stripe.Checkout.SessionCreateParams => ({
  mode: 'payment',
  client_reference_id: debt.paymentId,
  success_url: page.returnUrl,
  cancel_url: page.returnUrl,
  ...(debt.customerId?.startsWith('cus_') === true && { customer: debt.customerId }),
  metadata: metadataOf(debt),
  payment_intent_data: { metadata: metadataOf(debt) },
  line_items: [
    {
      quantity: 1,
      price_data: {
        currency: debt.currency.toLowerCase(),
        unit_amount: toStripeAmount(debt.amount, debt.currency),
        product_data: { name: debt.transactionRef },
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
const invoicePage = async ({ stripe, options }: Call, id: string): Promise<Checkout> => {
  const invoice = await stripe.invoices.retrieve(id, {}, options);
  if (invoice.status === 'paid') return { status: 'already_paid' };
  if (invoice.status !== 'open' || typeof invoice.hosted_invoice_url !== 'string')
    throw new DomainError('recovery_closed', 'The invoice cannot be paid any more');
  return { status: 'open', url: invoice.hosted_invoice_url, reference: invoice.id };
};

const ofIntent = async ({ stripe, options }: Call, id: string | undefined): Promise<Known> => {
  if (id === undefined) return undefined;
  const { status } = await stripe.paymentIntents.retrieve(id, {}, options);
  if (status === 'succeeded' || status === 'requires_capture') return { status: 'already_paid' };
  if (status === 'processing') throw inProgress();
  return undefined;
};

/** Two open pages could both be paid: the one before is closed first, and it may turn out to be paid. */
const ofPrevious = async ({ stripe, options }: Call, id: string | undefined): Promise<Known> => {
  if (id?.startsWith('cs_') !== true) return undefined;
  let session = await stripe.checkout.sessions.retrieve(id, {}, options);
  if (session.status === 'open')
    session = await stripe.checkout.sessions
      .expire(id, {}, options)
      // Completed in between: look again.
      .catch(() => stripe.checkout.sessions.retrieve(id, {}, options));
  if (session.status === 'complete') {
    if (session.payment_status === 'unpaid') throw inProgress();
    return { status: 'already_paid' };
  }
  if (session.status === 'open') throw new Error('the previous session could not be closed');
  return undefined;
};

export const openStripeCheckout = async (
  stripe: Stripe,
  apiKey: string | undefined,
  debt: Debt,
  page: CheckoutPage,
): Promise<Checkout> => {
  if (apiKey === undefined) throw new DomainError('unavailable', 'Stripe is not connected');
  const call = { stripe, options: { apiKey } };
  try {
    if (debt.references['invoice'] !== undefined) return await invoicePage(call, debt.references['invoice']);
    const known =
      (await ofIntent(call, debt.references['payment_intent'])) ?? (await ofPrevious(call, page.previous));
    if (known !== undefined) return known;
    const session = await stripe.checkout.sessions.create(sessionParams(debt, page), {
      apiKey,
      idempotencyKey: page.idempotencyKey,
    });
    if (session.url === null) throw new Error('the session has no page');
    return { status: 'open', url: session.url, reference: session.id };
  } catch (error) {
    throw error instanceof DomainError ? error : unavailable(error);
  }
};
