import Stripe from 'stripe';
import type { OrgId } from '../../kernel/ids.js';
import type { Json } from '../../kernel/json.js';
import type { Logger } from '../../kernel/logger.js';
import type {
  ChargeOutcome,
  Checkout,
  CheckoutPage,
  ClosedCheckout,
  Debt,
  Psp,
  StoppedRetries,
} from '../../kernel/ports.js';
import {
  EXPAND_INVOICE,
  outcomeOfFault,
  outcomeOfIntent,
  outcomeOfInvoice,
  refusalOf,
  type StripeFault,
  unknown,
} from './stripeAnswers.js';
import { closeStripeCheckout, openStripeCheckout } from './stripeCheckout.js';
import { completeStripeEvent } from './stripeEventCompletion.js';

export interface StripePspOptions {
  /** From the vault; undefined when the organization connected none. */
  readonly apiKeyOf: (orgId: OrgId) => Promise<string | undefined>;
  /** Another address for Stripe's API (tests). */
  readonly apiBase?: string | undefined;
  /** How long an answer may take, ms. */
  readonly timeout?: number;
  readonly logger: Logger;
}

const hostOf = (apiBase: string | undefined) => {
  if (apiBase === undefined) return {};
  const { protocol, hostname, port } = new URL(apiBase);
  const http = protocol === 'http:';
  return { protocol: http ? 'http' : 'https', host: hostname, port: port || (http ? '80' : '443') } as const;
};

/** The request that led to this one, beside Stripe's own: it stands in Stripe's request log. */
const headersOf = (requestId: string | undefined): Stripe.RequestOptions =>
  requestId === undefined ? {} : { headers: { 'X-Request-ID': requestId } };

/**
 * Stripe through its SDK, whose own retries are off: when to ask again, and with which key, is decided by the recovery.
 * (One remains that no setting turns off: a link closed under a request is tried once more, under the same key.)
 *
 * Stripe stores the first answer of a key, 5xx and `processing` included, and gives it again for 24 h. So when the
 * answer to a charge does not tell the outcome, the object itself is asked once. It is believed when it is paid, and
 * when it failed after it was `processing`: an object in that state takes no other charge, so the failure is ours.
 */
export class StripePsp implements Psp {
  readonly #options: StripePspOptions;
  readonly #logger: Logger;
  readonly #stripe: Stripe;

  constructor(options: StripePspOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ component: 'stripe' });
    // Every request names its organization's key; this one is none, should a request ever forget.
    this.#stripe = new Stripe('sk_none', {
      ...hostOf(options.apiBase),
      maxNetworkRetries: 0,
      timeout: options.timeout ?? 30_000,
      telemetry: false,
    });
  }

  async charge(debt: Debt, idempotencyKey: string, requestId?: string): Promise<ChargeOutcome> {
    const outcome = await this.#withKey(debt, async (apiKey) => {
      const options = { apiKey, ...headersOf(requestId) };
      const first = await this.#attempt(debt, { ...options, idempotencyKey });
      if (
        first.status !== 'unknown' ||
        /^(network_error|timeout|rate_limited|lock_timeout)$/.test(first.reason)
      )
        return first;
      const now = await this.#retrieve(debt, options).catch(() => first);
      const decided =
        now.status === 'succeeded' || (now.status === 'declined' && first.reason === 'processing');
      return decided ? now : first;
    });
    this.#log(debt, outcome, 'charged', requestId);
    return outcome;
  }

  async lookup(debt: Debt, _idempotencyKey: string, requestId?: string): Promise<ChargeOutcome> {
    const outcome = await this.#withKey(debt, (apiKey) =>
      this.#retrieve(debt, { apiKey, ...headersOf(requestId) }),
    );
    this.#log(debt, outcome, 'looked up', requestId);
    return outcome;
  }

  async openCheckout(debt: Debt, page: CheckoutPage): Promise<Checkout> {
    const apiKey = await this.#options.apiKeyOf(debt.orgId);
    return openStripeCheckout(this.#stripe, apiKey, debt, page, headersOf(page.requestId));
  }

  async closeCheckout(debt: Debt, reference: string, requestId?: string): Promise<ClosedCheckout> {
    try {
      const apiKey = await this.#options.apiKeyOf(debt.orgId);
      return await closeStripeCheckout(this.#stripe, apiKey, reference, headersOf(requestId));
    } catch {
      return { status: 'undecided', reason: 'unavailable' };
    }
  }

  /** An invoice that does not advance by itself is collected only when somebody pays it. */
  async stopRetries(debt: Debt, requestId?: string): Promise<StoppedRetries> {
    const { invoice } = debt.references;
    if (invoice === undefined) return { status: 'left', reason: 'no_invoice' };
    try {
      const apiKey = await this.#options.apiKeyOf(debt.orgId);
      if (apiKey === undefined) return { status: 'left', reason: 'psp_not_connected' };
      const options = { apiKey, ...headersOf(requestId) };
      await this.#stripe.invoices.update(invoice, { auto_advance: false }, options);
      return { status: 'stopped' };
    } catch (error) {
      const { statusCode, code } = error as StripeFault;
      const refused =
        statusCode !== undefined && statusCode < 500 && statusCode !== 429 && statusCode !== 409;
      return refused
        ? { status: 'left', reason: code ?? `http_${statusCode}` }
        : { status: 'undecided', reason: `http_${statusCode ?? 'none'}` };
    }
  }

  /**
   * Adds to a webhook event what newer API versions leave out: which invoice a payment intent or charge belongs to, and
   * which payment an invoice. Without it one failure would look like several. Events that need nothing pass unasked.
   * @throws DomainError unavailable when Stripe cannot be asked: let Stripe send the event again
   */
  async completeEvent(event: Json, apiKeyOf: () => Promise<string | undefined>): Promise<Json> {
    return completeStripeEvent(this.#stripe, apiKeyOf, event);
  }

  async #attempt(debt: Debt, options: Stripe.RequestOptions): Promise<ChargeOutcome> {
    const { invoice, payment_intent: intent } = debt.references;
    const method = debt.paymentMethodId === undefined ? {} : { payment_method: debt.paymentMethodId };
    try {
      if (invoice !== undefined) {
        const params = { ...method, off_session: true, expand: EXPAND_INVOICE };
        const outcome = outcomeOfInvoice(await this.#stripe.invoices.pay(invoice, params, options));
        return outcome.status === 'not_found' ? unknown('processing') : outcome;
      }
      if (intent === undefined) return { status: 'declined', failure: { code: 'no_payment_reference' } };
      const confirmed = await this.#stripe.paymentIntents.confirm(
        intent,
        { ...method, off_session: true },
        options,
      );
      const outcome = outcomeOfIntent(confirmed);
      return outcome.status === 'not_found' ? unknown(`intent_${confirmed.status}`) : outcome;
    } catch (error) {
      return this.#explain(debt, options, error as StripeFault);
    }
  }

  /** A refusal may mean that the debt is paid: ask before calling it a decline. */
  async #explain(
    debt: Debt,
    { idempotencyKey: _, ...options }: Stripe.RequestOptions,
    fault: StripeFault,
  ): Promise<ChargeOutcome> {
    const outcome = outcomeOfFault(fault);
    if (outcome !== undefined) return outcome;
    if (fault.statusCode === 404) return refusalOf(fault);
    try {
      const now = await this.#retrieve(debt, options);
      return now.status === 'succeeded' || now.status === 'unknown' ? now : refusalOf(fault);
    } catch (error) {
      return outcomeOfFault(error as StripeFault) ?? refusalOf(fault);
    }
  }

  /** Says whether the debt is paid; of a debt that is not, the last failure there was. @throws Stripe's errors */
  async #retrieve(debt: Debt, options: Stripe.RequestOptions): Promise<ChargeOutcome> {
    const { invoice, payment_intent: intent } = debt.references;
    if (invoice !== undefined)
      return outcomeOfInvoice(
        await this.#stripe.invoices.retrieve(invoice, { expand: EXPAND_INVOICE }, options),
      );
    if (intent === undefined) return { status: 'not_found' };
    return outcomeOfIntent(await this.#stripe.paymentIntents.retrieve(intent, {}, options));
  }

  async #withKey(debt: Debt, work: (apiKey: string) => Promise<ChargeOutcome>): Promise<ChargeOutcome> {
    try {
      const apiKey = await this.#options.apiKeyOf(debt.orgId);
      if (apiKey === undefined) return { status: 'declined', failure: { code: 'psp_not_connected' } };
      return await work(apiKey);
    } catch (error) {
      const fault = error as StripeFault;
      if (fault.statusCode === 404) return { status: 'not_found' };
      const outcome = fault.statusCode === undefined ? undefined : outcomeOfFault(fault);
      return outcome?.status === 'unknown' ? outcome : unknown('unavailable');
    }
  }

  #log(debt: Debt, outcome: ChargeOutcome, what: 'charged' | 'looked up', requestId?: string): void {
    const code =
      outcome.status === 'declined' ? (outcome.failure.decline_code ?? outcome.failure.code) : undefined;
    const fields = {
      org_id: debt.orgId,
      recovery_id: debt.recoveryId,
      request_id: requestId,
      outcome: outcome.status,
      ...(code !== undefined && { code }),
      ...(outcome.status === 'unknown' && { reason: outcome.reason }),
    };
    this.#logger.info(fields, `stripe ${what}`);
  }
}
