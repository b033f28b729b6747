import { looksLikeCardNumber } from '../../kernel/cardNumbers.js';
import type { Instant } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, isUuid } from '../../kernel/ids.js';
import type { Failure } from '../../kernel/ports.js';
import { fromStripeAmount } from '../../kernel/stripeAmount.js';
import type { SuccessSource } from '../../events/payment.js';
import { idOf, integerOf, type Json, MAX_SECONDS, objectOf, textOf, textsOf } from './json.js';
import {
  customerOf,
  failureOfCharge,
  failureOfError,
  invoiceOf,
  methodOf,
  paymentOfInvoice,
  pspRetriesOf,
} from './stripeObjects.js';

/**
 * What a Stripe event says about one payment, in our words. That a card was declined at a checkout of ours says
 * nothing about the stored one that failed before, and is no fact.
 *
 * Stripe reports one failed charge up to three times (payment_intent.payment_failed, charge.failed,
 * invoice.payment_failed), at least once each and in any order. All three lead to the same `trigger_id` (the charge)
 * and the same `transaction_ref` (`metadata.transaction_ref`, else the invoice, else the payment intent), so that the
 * aggregate takes the first and knows the others. Since API version 2025-03-31 the objects no longer name each other:
 * complete such an event first (StripePsp.completeEvent), which puts the related object where older versions had it.
 */
export type StripeFact = StripeFailure | StripeSuccess;

interface Common {
  readonly transaction_ref: string;
  /** Our minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly trigger_id: string;
  readonly occurred_at: Instant;
  /** Present when it is the answer to a charge of ours, by which attempt. */
  readonly own_attempt?: OwnAttempt;
  /** No API request led to it: Stripe acted by itself, or a bank decided at last. */
  readonly automatic: boolean;
  /** Stripe's objects for the debt. */
  readonly references: Readonly<Record<string, string>>;
}

export interface StripeFailure extends Common {
  readonly kind: 'failed';
  readonly gateway: 'stripe';
  readonly customer: { readonly id?: string; readonly email?: string; readonly name?: string };
  readonly failure: Failure;
  readonly payment_method?: {
    readonly id?: string;
    readonly fingerprint?: string;
    readonly last4?: string;
    readonly country?: string;
  };
  readonly metadata: Readonly<Record<string, string>>;
  /** Stripe's own engine: when it retries next, absent once it gave up. */
  readonly psp_retries?: { readonly next_at?: Instant };
}

export interface StripeSuccess extends Common {
  readonly kind: 'succeeded';
  readonly source: SuccessSource;
}

export interface OwnAttempt {
  readonly orgId: string;
  readonly recoveryId: string;
  readonly attempt: number;
}

/** Reads `<org_id>:<recovery_id>:<attempt>`, the idempotency key of every charge of ours. */
export const parseIdempotencyKey = (key: string): OwnAttempt | undefined => {
  const [orgId = '', recoveryId = '', attempt = '', ...rest] = key.split(':');
  if (!isUuid(orgId) || !isUuid(recoveryId) || !/^[1-9]\d{0,3}$/.test(attempt) || rest.length > 0)
    return undefined;
  return { orgId, recoveryId, attempt: Number(attempt) };
};

interface StripeEvent {
  readonly id: string;
  readonly occurredAt: Instant;
  readonly own: OwnAttempt | undefined;
  readonly automatic: boolean;
  readonly object: Json;
}

const MAX_TEXT = 200;
const MAX_AMOUNT = 999_999_999_999;

const unreadable = (pointer: string, detail: string): DomainError =>
  new DomainError('validation_failed', 'The event is not one of Stripe that can be read', [
    { pointer, detail },
  ]);

const required = <T>(value: T | undefined, pointer: string): T => {
  if (value === undefined) throw unreadable(pointer, 'is missing or of another type');
  return value;
};

const readEvent = (event: Json, orgId: string): StripeEvent => {
  const seconds = required(integerOf(event['created']), '/created');
  if (seconds < 0 || seconds > MAX_SECONDS) throw unreadable('/created', 'is no Unix time');
  const request = objectOf(event['request']);
  const own = parseIdempotencyKey(textOf(request?.['idempotency_key'], 255) ?? '');
  return {
    id: required(textOf(event['id']), '/id'),
    occurredAt: new Date(seconds * 1000).toISOString(),
    own: own?.orgId === orgId ? own : undefined,
    automatic: textOf(request?.['id'] ?? event['request']) === undefined,
    object: required(objectOf(objectOf(event['data'])?.['object']), '/data/object'),
  };
};

/** Undefined for nothing to pay: a zero amount is no debt. */
const moneyOf = (object: Json, ...fields: readonly string[]) => {
  const currency = required(textOf(object['currency'], 3), '/data/object/currency').toUpperCase();
  if (!/^[A-Z]{3}$/.test(currency)) throw unreadable('/data/object/currency', 'is no ISO 4217 code');
  const amounts = fields.map((field) => integerOf(object[field])).filter((each) => each !== undefined);
  const stripeAmount = amounts.find((each) => each > 0) ?? required(amounts[0], `/data/object/${fields[0]}`);
  const amount = fromStripeAmount(stripeAmount, currency);
  if (amount > MAX_AMOUNT) throw unreadable(`/data/object/${fields[0]}`, 'is too large');
  return amount > 0 ? { amount, currency } : undefined;
};

const refOf = (object: Json, invoice: Json | undefined): string | undefined =>
  textsOf(object['metadata'])['transaction_ref'] ?? textsOf(invoice?.['metadata'])['transaction_ref'];

/** Payments tried through a checkout of ours carry the recovery's id. */
const isOurCheckout = (object: Json): boolean => isUuid(textsOf(object['metadata'])['recovery_id'] ?? '');

const present = (references: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(references).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

const retries = (invoice: Json | undefined): Pick<StripeFailure, 'psp_retries'> => {
  const psp_retries = pspRetriesOf(invoice);
  return psp_retries === undefined ? {} : { psp_retries };
};

/** The trigger itself as far as it can be stored; an unusual one by its hash, which is as good a name. */
const nameOf = (trigger: string): string =>
  trigger.length > MAX_TEXT || looksLikeCardNumber(trigger) ? deriveId('trigger', trigger) : trigger;

const factOf = (
  event: StripeEvent,
  money: { amount: number; currency: string },
  ref: string,
  trigger: string,
) => {
  if (ref.length > MAX_TEXT) throw unreadable('/data/object/metadata/transaction_ref', 'is longer than 200');
  return {
    transaction_ref: ref,
    ...money,
    trigger_id: nameOf(trigger),
    occurred_at: event.occurredAt,
    automatic: event.automatic,
    ...(event.own && { own_attempt: event.own }),
  };
};

/** The charge that failed; a failure before any charge (e.g. a failed authentication) is named by its intent and code. */
const triggerOfIntent = (intent: Json | undefined): string | undefined => {
  const error = objectOf(intent?.['last_payment_error']);
  const latest = idOf(intent?.['latest_charge']);
  const intentId = idOf(intent);
  if (error === undefined || intentId === undefined) return latest;
  return idOf(error['charge']) ?? `${intentId}:${textOf(error['code'], 60) ?? 'failed'}:${latest ?? 'none'}`;
};

const intentFailed = (event: StripeEvent): StripeFact[] => {
  const intent = event.object;
  if (isOurCheckout(intent)) return [];
  const money = moneyOf(intent, 'amount');
  if (money === undefined) return [];
  const id = required(textOf(intent['id']), '/data/object/id');
  const invoice = invoiceOf(intent);
  const error = objectOf(intent['last_payment_error']);
  const method = methodOf(error?.['payment_method'] ?? intent['payment_method']);
  return [
    {
      kind: 'failed',
      gateway: 'stripe',
      ...factOf(
        event,
        money,
        refOf(intent, invoice.object) ?? invoice.id ?? id,
        triggerOfIntent(intent) ?? event.id,
      ),
      customer: customerOf(intent, invoice.object, objectOf(error?.['payment_method'])),
      failure: failureOfError(error),
      ...(method && { payment_method: method }),
      ...retries(invoice.object),
      references: present({ payment_intent: id, invoice: invoice.id }),
      metadata: textsOf(intent['metadata']),
    },
  ];
};

const chargeFailed = (event: StripeEvent): StripeFact[] => {
  const charge = event.object;
  if (isOurCheckout(charge)) return [];
  const money = moneyOf(charge, 'amount');
  if (money === undefined) return [];
  const id = required(textOf(charge['id']), '/data/object/id');
  const intentId = idOf(charge['payment_intent']);
  const invoice = invoiceOf(charge);
  const method = methodOf(charge['payment_method'], charge['payment_method_details']);
  return [
    {
      kind: 'failed',
      gateway: 'stripe',
      ...factOf(event, money, refOf(charge, invoice.object) ?? invoice.id ?? intentId ?? id, id),
      customer: customerOf(charge, invoice.object, charge),
      failure: failureOfCharge(charge),
      ...(method && { payment_method: method }),
      ...retries(invoice.object),
      references: present({ payment_intent: intentId, invoice: invoice.id }),
      metadata: textsOf(charge['metadata']),
    },
  ];
};

const invoiceFailed = (event: StripeEvent): StripeFact[] => {
  const invoice = event.object;
  const money = moneyOf(invoice, 'amount_remaining', 'amount_due');
  if (money === undefined) return [];
  const id = required(textOf(invoice['id']), '/data/object/id');
  const { intent, intentId, chargeId } = paymentOfInvoice(invoice);
  const error = objectOf(intent?.['last_payment_error']);
  const method = methodOf(error?.['payment_method'] ?? intent?.['payment_method']);
  const attempt = `${id}:attempt:${integerOf(invoice['attempt_count']) ?? event.id}`;
  return [
    {
      kind: 'failed',
      gateway: 'stripe',
      ...factOf(
        event,
        money,
        refOf(intent ?? {}, invoice) ?? id,
        chargeId ?? triggerOfIntent(intent) ?? attempt,
      ),
      customer: customerOf(invoice, invoice, objectOf(error?.['payment_method'])),
      failure: failureOfError(error),
      ...(method && { payment_method: method }),
      ...retries(invoice),
      references: present({ payment_intent: intentId, invoice: id }),
      metadata: textsOf(invoice['metadata']),
    },
  ];
};

const sourceOf = (event: StripeEvent, invoice: Json | undefined): SuccessSource => {
  if (event.own) return 'our_retry';
  if (isOurCheckout(event.object)) return 'link';
  const retried = (integerOf(invoice?.['attempt_count']) ?? 0) > 1;
  return retried && event.automatic ? 'psp_retry' : 'external';
};

const intentSucceeded = (event: StripeEvent): StripeFact[] => {
  const money = moneyOf(event.object, 'amount_received', 'amount');
  if (money === undefined) return [];
  const id = required(textOf(event.object['id']), '/data/object/id');
  const invoice = invoiceOf(event.object);
  const ref = refOf(event.object, invoice.object) ?? invoice.id ?? id;
  const references = present({ payment_intent: id, invoice: invoice.id });
  const source = sourceOf(event, invoice.object);
  return [{ kind: 'succeeded', ...factOf(event, money, ref, id), references, source }];
};

const invoicePaid = (event: StripeEvent): StripeFact[] => {
  const money = moneyOf(event.object, 'amount_paid', 'amount_due');
  if (money === undefined) return [];
  const id = required(textOf(event.object['id']), '/data/object/id');
  const { intent, intentId } = paymentOfInvoice(event.object);
  const ref = refOf(intent ?? {}, event.object) ?? id;
  return [
    {
      kind: 'succeeded',
      ...factOf(event, money, ref, intentId ?? id),
      references: present({ payment_intent: intentId, invoice: id }),
      source: sourceOf(event, event.object),
    },
  ];
};

const checkoutPaid = (event: StripeEvent): StripeFact[] => {
  const session = event.object;
  if (session['payment_status'] !== 'paid') return [];
  const money = moneyOf(session, 'amount_total');
  if (money === undefined) return [];
  const id = required(textOf(session['id']), '/data/object/id');
  const invoice = invoiceOf(session);
  const intentId = idOf(session['payment_intent']);
  const ref = refOf(session, invoice.object) ?? invoice.id ?? intentId ?? id;
  return [
    {
      kind: 'succeeded',
      ...factOf(event, money, ref, intentId ?? invoice.id ?? id),
      references: present({ payment_intent: intentId, invoice: invoice.id }),
      source: sourceOf(event, undefined),
    },
  ];
};

const mappers: Readonly<Record<string, (event: StripeEvent) => StripeFact[]>> = {
  'payment_intent.payment_failed': intentFailed,
  'charge.failed': chargeFailed,
  'invoice.payment_failed': invoiceFailed,
  'payment_intent.succeeded': intentSucceeded,
  'invoice.payment_succeeded': invoicePaid,
  // Sent also for an invoice that was marked as paid elsewhere.
  'invoice.paid': invoicePaid,
  'checkout.session.completed': checkoutPaid,
  'checkout.session.async_payment_succeeded': checkoutPaid,
};

/**
 * Pure; the same event gives the same facts. Types that do not concern us give none.
 * @param orgId whose event it is: a charge is ours only by a key of the same organization
 * @throws DomainError validation_failed when an event of a known type lacks what every such event has
 */
export const stripeEventToFacts = (event: unknown, orgId: string): StripeFact[] => {
  const json = required(objectOf(event), '');
  const type = required(textOf(json['type']), '/type');
  const mapper = Object.hasOwn(mappers, type) ? mappers[type] : undefined;
  return mapper === undefined ? [] : mapper(readEvent(json, orgId));
};
