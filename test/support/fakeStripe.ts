/**
 * Stripe as far as we use it, over HTTP, with a memory: payment intents, invoices, checkout sessions. The same
 * idempotency key gets the first answer again, also when that was a decline or a 500. What happens to a charge is said
 * per payment method (`pm_card_visa`, `pm_card_chargeDeclinedInsufficientFunds`, …) or by `next`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { declineOf } from '../../src/infra/psp/sandboxOutcomes.js';

type Json = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly body: Json;
}
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly key: string | undefined;
  readonly authorization: string | undefined;
  /** Ours: `X-Request-ID`. */
  readonly requestId?: string | undefined;
  readonly form: Readonly<Record<string, string>>;
}

/**
 * `refuse` cuts the link before acting, `drop` after it; `hang` neither acts nor answers, `lose` acts and does not
 * answer; a number is an HTTP status and an object an answer, given without acting.
 */
export type Trouble = 'drop' | 'lose' | 'refuse' | 'hang' | number | Json;

const error = (status: number, fields: Json): Answer => ({
  status,
  body: { error: { type: 'card_error', ...fields } },
});
const missing = (): Answer =>
  error(404, { type: 'invalid_request_error', code: 'resource_missing', message: 'No such object' });

const declines: Readonly<Record<string, string>> = {
  pm_card_chargeDeclined: 'generic_decline',
  pm_card_chargeDeclinedInsufficientFunds: 'insufficient_funds',
  pm_card_authenticationRequired: 'authentication_required',
};

export class FakeStripe {
  readonly requests: FakeRequest[] = [];
  /** The intents that were charged, one entry per success. */
  readonly charged: string[] = [];
  readonly intents = new Map<string, Json>();
  readonly invoices = new Map<string, Json>();
  readonly sessions = new Map<string, Json>();
  /** Extra words of the next decline. */
  declineExtras: Json = {};
  readonly #troubles: Trouble[] = [];
  readonly #answers = new Map<string, { readonly answer: Answer; readonly parameters: string }>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #serial = 0;

  static async start(): Promise<FakeStripe> {
    const fake = new FakeStripe();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** What happens to the next POST of a new key. */
  next(trouble: Trouble): void {
    this.#troubles.push(trouble);
  }

  intent(fields: Json = {}): string {
    const id = `pi_${++this.#serial}`;
    this.intents.set(id, {
      id,
      object: 'payment_intent',
      status: 'requires_payment_method',
      amount: 4900,
      currency: 'eur',
      last_payment_error: null,
      ...fields,
    });
    return id;
  }

  invoice(fields: Json = {}): string {
    const id = `in_${++this.#serial}`;
    const invoice = {
      id,
      object: 'invoice',
      status: 'open',
      hosted_invoice_url: `https://invoice.test/${id}`,
    };
    this.invoices.set(id, { ...invoice, intent: this.intent(), ...fields });
    return id;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '', 'http://stripe.test');
    const form = Object.fromEntries([
      ...url.searchParams,
      ...new URLSearchParams(Buffer.concat(chunks).toString()),
    ]);
    const key = request.headers['idempotency-key']?.toString();
    const seen = { method: request.method ?? '', path: url.pathname, key, form };
    const requestId = request.headers['x-request-id']?.toString();
    this.requests.push({ ...seen, requestId, authorization: request.headers.authorization });
    const parameters = JSON.stringify([seen.method, seen.path, form]);
    const known = key === undefined ? undefined : this.#knownAnswer(key, parameters);
    const trouble = known === undefined && seen.method === 'POST' ? this.#troubles.shift() : undefined;
    if (trouble === 'refuse') return void request.socket.destroy();
    if (trouble === 'hang') return;
    const answer = known ?? this.#answer(seen, trouble);
    // Stripe keeps no answer of a request it did not begin (409, 429).
    if (key !== undefined && !known && ![409, 429].includes(answer.status))
      this.#answers.set(key, { answer, parameters });
    if (trouble === 'lose') return;
    if (trouble === 'drop') return void request.socket.destroy();
    response.writeHead(answer.status, {
      'content-type': 'application/json',
      'request-id': 'req_test',
      ...(known && { 'idempotent-replayed': 'true' }),
    });
    response.end(JSON.stringify(answer.body));
  }

  /** As Stripe does: the same key is for the same request only. */
  #knownAnswer(key: string, parameters: string): Answer | undefined {
    const known = this.#answers.get(key);
    if (known === undefined || known.parameters === parameters) return known?.answer;
    const message = 'Keys for idempotent requests can only be used with the same parameters';
    return error(400, { type: 'idempotency_error', message });
  }

  #answer(request: Omit<FakeRequest, 'authorization' | 'requestId'>, trouble: Trouble | undefined): Answer {
    if (typeof trouble === 'number') return error(trouble, { type: 'api_error', message: 'trouble' });
    if (typeof trouble === 'object') return { status: 200, body: trouble };
    const [, , resource, id = '', action = ''] = request.path.replace('/checkout', '').split('/');
    if (resource === 'payment_intents')
      return action === 'confirm' ? this.#confirm(id, request.form) : this.#get(this.intents, id);
    if (resource === 'invoices') return this.#invoice(id, action, request);
    if (resource === 'invoice_payments') return this.#invoicePayments(request.form);
    if (resource !== 'sessions') return missing();
    if (action === 'expire') return this.#expire(id);
    return id === '' ? this.#createSession(request.form) : this.#get(this.sessions, id);
  }

  #get(objects: ReadonlyMap<string, Json>, id: string): Answer {
    const body = objects.get(id);
    return body === undefined ? missing() : { status: 200, body };
  }

  #confirm(id: string, form: Readonly<Record<string, string>>): Answer {
    const intent = this.intents.get(id);
    if (intent === undefined) return missing();
    if (['succeeded', 'processing', 'canceled'].includes(intent['status'] as string))
      return error(400, {
        type: 'invalid_request_error',
        code: 'payment_intent_unexpected_state',
        message: 'This PaymentIntent could not be confirmed',
        payment_intent: intent,
      });
    const decline = declines[form['payment_method'] ?? ''];
    if (decline === undefined) {
      this.charged.push(id);
      Object.assign(intent, { status: 'succeeded', last_payment_error: null });
      return { status: 200, body: intent };
    }
    const { code, network_code: network_decline_code, message } = declineOf(decline);
    const failure = { code, decline_code: decline, network_decline_code, message, ...this.declineExtras };
    this.declineExtras = {};
    Object.assign(intent, {
      last_payment_error: { type: 'card_error', charge: `ch_${++this.#serial}`, ...failure },
    });
    const method = { id: form['payment_method'], card: { brand: 'visa' } };
    return error(402, {
      ...failure,
      charge: `ch_${this.#serial}`,
      payment_method: method,
      payment_intent: intent,
    });
  }

  #pay(id: string, form: Readonly<Record<string, string>>): Answer {
    const invoice = this.invoices.get(id);
    if (invoice === undefined) return missing();
    if (invoice['status'] !== 'open')
      return error(400, {
        type: 'invalid_request_error',
        message: `Invoice is already ${String(invoice['status'])}`,
      });
    const answer = this.#confirm(invoice['intent'] as string, form);
    if (answer.status !== 200) return answer;
    invoice['status'] = 'paid';
    return this.#getInvoice(id);
  }

  #invoice(id: string, action: string, { method, form }: Pick<FakeRequest, 'method' | 'form'>): Answer {
    if (action === 'pay') return this.#pay(id, form);
    if (method === 'POST') this.#updateInvoice(id, form);
    return this.#getInvoice(id);
  }

  /** Collection by itself is all that may be changed of an open one. */
  #updateInvoice(id: string, { auto_advance }: Readonly<Record<string, string>>): void {
    const invoice = this.invoices.get(id);
    if (invoice !== undefined && auto_advance !== undefined)
      invoice['auto_advance'] = auto_advance === 'true';
  }

  #getInvoice(id: string): Answer {
    const invoice = this.invoices.get(id);
    if (invoice === undefined) return missing();
    const payment = { type: 'payment_intent', payment_intent: this.intents.get(invoice['intent'] as string) };
    return {
      status: 200,
      body: { ...invoice, payments: { object: 'list', data: [{ is_default: true, payment }] } },
    };
  }

  #invoicePayments(form: Readonly<Record<string, string>>): Answer {
    const found = [...this.invoices.values()].filter(
      (each) => each['id'] === form['invoice'] || each['intent'] === form['payment[payment_intent]'],
    );
    const data = found.map((invoice) => ({
      object: 'invoice_payment',
      is_default: true,
      invoice,
      payment: { type: 'payment_intent', payment_intent: this.intents.get(invoice['intent'] as string) },
    }));
    return { status: 200, body: { object: 'list', has_more: false, url: '/v1/invoice_payments', data } };
  }

  #createSession(form: Readonly<Record<string, string>>): Answer {
    const id = `cs_${++this.#serial}`;
    const session = { id, object: 'checkout.session', status: 'open', payment_status: 'unpaid', form };
    this.sessions.set(id, { ...session, url: `https://checkout.test/${id}` });
    return this.#get(this.sessions, id);
  }

  #expire(id: string): Answer {
    const session = this.sessions.get(id);
    if (session?.['status'] !== 'open')
      return error(400, { type: 'invalid_request_error', message: 'not open' });
    session['status'] = 'expired';
    return { status: 200, body: session };
  }
}
