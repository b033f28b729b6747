import type { Client } from './client.js';
import { declines } from './declines.js';
import { type Story, stories } from './stories.js';
import { chargeFailed, intentFailed, intentSucceeded, invoiceFailed, signatureOf } from './stripeEvents.js';

export interface Merchant {
  readonly orgId: string;
  readonly webhookSecret: string;
}

/** One message to the API. `again`: it tells nothing new. */
interface Message {
  readonly by: 'webhook' | 'api';
  readonly again: boolean;
  readonly send: (client: Client, merchant: Merchant) => Promise<unknown>;
}

export interface Taken {
  readonly payments: number;
  readonly webhooks: number;
  readonly apiCalls: number;
  readonly repeats: number;
}

/** Delivers an event as Stripe does: the raw body, signed with the endpoint's secret. */
export const deliver = (client: Client, { orgId, webhookSecret }: Merchant, event: object, now: Date) => {
  const body = JSON.stringify(event);
  const headers = {
    'Content-Type': 'application/json',
    'Stripe-Signature': signatureOf(body, webhookSecret, now),
  };
  return client.send(`/v1/webhooks/stripe/${orgId}`, { method: 'POST', headers, body }, 200);
};

const webhook = (event: object, now: Date, again = false): Message => ({
  by: 'webhook',
  again,
  send: (client, merchant) => deliver(client, merchant, event, now),
});

const apiCall = (story: Story, now: Date, again = false): Message => {
  const { last4, ...failure } = declines[story.decline];
  const body = {
    transaction_ref: story.ref,
    amount: story.amount,
    currency: story.currency,
    customer: { email: story.email, name: story.name },
    gateway: 'sandbox',
    failure,
    payment_method: { last4 },
    occurred_at: now.toISOString(),
    metadata: { sandbox_script: story.script },
  };
  const headers = { 'Idempotency-Key': `failed-${story.ref}` };
  return {
    by: 'api',
    again,
    send: (client) => client.write('POST', '/v1/events/payment_failed', body, headers),
  };
};

const messagesOf = (story: Story, now: Date): readonly Message[] => {
  const intent = intentFailed(story, now);
  const charge = chargeFailed(story, now);
  switch (story.channel) {
    case 'api':
      return [apiCall(story, now)];
    case 'invoice':
      return [webhook(invoiceFailed(story, now), now)];
    case 'charge': // the same failure again, told by its intent
      return [webhook(charge, now), webhook(intent, now, true)];
    case 'intent':
      return [webhook(intent, now)];
    default:
      return story.channel satisfies never;
  }
};

/** Every so often a sender does not hear our answer and sends the same again, later. */
const resent = (messages: readonly Message[]): readonly Message[] =>
  messages.filter((_, index) => index % 7 === 3).map((message) => ({ ...message, again: true }));

/** Paid in time: the news of the failure before comes late, and there is nothing to recover. */
const overtaken = (now: Date): readonly Message[] => {
  const { deed: _, told: __, ...first } = stories.find(({ channel }) => channel === 'intent') as Story;
  const story: Story = { ...first, ref: 'INV-2040', email: 'quick.payer@example.com', name: 'Quick Payer' };
  return [webhook(intentSucceeded(story, now), now), webhook(intentFailed(story, now), now)];
};

/** Sends the batch, one message after the other. */
export const takeIn = async (
  client: Client,
  merchant: Merchant,
  now: Date,
  onSent: (sent: number, of: number) => void,
): Promise<Taken> => {
  const first = stories.flatMap((story) => messagesOf(story, now));
  const messages = [...first, ...overtaken(now), ...resent(first)];
  for (const [index, message] of messages.entries()) {
    await message.send(client, merchant);
    onSent(index + 1, messages.length);
  }
  return {
    payments: stories.length + 1,
    webhooks: messages.filter(({ by }) => by === 'webhook').length,
    apiCalls: messages.filter(({ by }) => by === 'api').length,
    repeats: messages.filter(({ again }) => again).length,
  };
};
