import { createHmac } from 'node:crypto';
import { declines } from './declines.js';
import type { Story } from './stories.js';

/*
 * Events as Stripe sends them in its API version of late 2026, cut down to what tells something. An invoice carries
 * its payments, which Stripe leaves out and the product asks for: the demo has no Stripe account to ask.
 */

interface StripeEvent {
  readonly id: string;
  readonly type: string;
}

const API_VERSION = '2026-10-28.endive';

const idOf = (prefix: string, { ref }: Story): string =>
  `${prefix}_demo_${ref.replace('-', '').toLowerCase()}`;
const secondsOf = (at: Date): number => Math.floor(at.getTime() / 1000);

const event = (
  type: string,
  story: Story,
  at: Date,
  object: object,
): StripeEvent & Record<string, unknown> => ({
  id: `${idOf('evt', story)}_${type.replaceAll('.', '_')}`,
  object: 'event',
  api_version: API_VERSION,
  created: secondsOf(at),
  livemode: false,
  pending_webhooks: 1,
  request: { id: null, idempotency_key: null },
  type,
  data: { object },
});

const metadataOf = ({ ref, script }: Story) => ({ transaction_ref: ref, sandbox_script: script });
const cardOf = (story: Story) => ({
  brand: 'visa',
  fingerprint: idOf('fp', story),
  last4: declines[story.decline].last4,
});
const methodOf = (story: Story) => ({
  id: idOf('pm', story),
  object: 'payment_method',
  type: 'card',
  card: cardOf(story),
  billing_details: { email: story.email, name: story.name },
});

const wordsOf = ({ decline }: Story) => {
  const said: { code: string; decline_code?: string; network_code?: string; message: string } =
    declines[decline];
  return said;
};

const errorOf = (story: Story) => {
  const { code, decline_code, network_code, message } = wordsOf(story);
  return {
    type: 'card_error',
    code,
    decline_code,
    message,
    network_decline_code: network_code,
    charge: idOf('ch', story),
    payment_method: methodOf(story),
  };
};

const intentOf = (story: Story) => ({
  id: idOf('pi', story),
  object: 'payment_intent',
  amount: story.amount,
  amount_received: 0,
  currency: story.currency.toLowerCase(),
  customer: idOf('cus', story),
  latest_charge: idOf('ch', story),
  metadata: metadataOf(story),
  payment_method: null,
  status: 'requires_payment_method',
  last_payment_error: errorOf(story),
});

export const intentFailed = (story: Story, at: Date) =>
  event('payment_intent.payment_failed', story, at, intentOf(story));

export const intentSucceeded = (story: Story, at: Date) =>
  event('payment_intent.succeeded', story, at, {
    ...intentOf(story),
    amount_received: story.amount,
    status: 'succeeded',
    last_payment_error: null,
  });

export const chargeFailed = (story: Story, at: Date) => {
  const { code, decline_code, network_code, message } = wordsOf(story);
  return event('charge.failed', story, at, {
    id: idOf('ch', story),
    object: 'charge',
    amount: story.amount,
    currency: story.currency.toLowerCase(),
    customer: idOf('cus', story),
    payment_intent: idOf('pi', story),
    payment_method: idOf('pm', story),
    payment_method_details: { type: 'card', card: cardOf(story) },
    billing_details: { email: story.email, name: story.name },
    failure_code: code,
    failure_message: message,
    outcome: { type: 'issuer_declined', reason: decline_code, network_decline_code: network_code },
    metadata: metadataOf(story),
    status: 'failed',
  });
};

const invoiceOf = (story: Story, attempts: number) => ({
  id: idOf('in', story),
  object: 'invoice',
  amount_due: story.amount,
  amount_paid: 0,
  amount_remaining: story.amount,
  attempt_count: attempts,
  currency: story.currency.toLowerCase(),
  customer: idOf('cus', story),
  customer_email: story.email,
  customer_name: story.name,
  metadata: metadataOf(story),
  parent: { type: 'subscription_details', subscription_details: { subscription: idOf('sub', story) } },
  payments: {
    object: 'list',
    data: [{ is_default: true, payment: { type: 'payment_intent', payment_intent: intentOf(story) } }],
  },
  status: 'open',
});

export const invoiceFailed = (story: Story, at: Date) =>
  event('invoice.payment_failed', story, at, invoiceOf(story, 1));

/** Stripe's own retry of a subscription's invoice brought the money in. */
export const invoicePaid = (story: Story, at: Date) =>
  event('invoice.payment_succeeded', story, at, {
    ...invoiceOf(story, 2),
    amount_paid: story.amount,
    amount_remaining: 0,
    status: 'paid',
  });

/** The header Stripe-Signature, scheme v1: HMAC-SHA-256 over time and raw body. */
export const signatureOf = (body: string, secret: string, at: Date): string => {
  const time = secondsOf(at);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
};
