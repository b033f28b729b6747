import { Type } from 'typebox';
import {
  Amount,
  closed,
  Currency,
  CustomerSchema,
  enumOf,
  type EventOf,
  FailureSchema,
  MetadataSchema,
  PaymentMethodSchema,
  Timestamp,
} from './schema.js';

/** Who brought the money in. */
export const successSources = ['psp_retry', 'our_retry', 'link', 'external'] as const;
export type SuccessSource = (typeof successSources)[number];

const TransactionRef = Type.String({ minLength: 1, maxLength: 200 });
/** What caused the fact to be recorded (a webhook's event id, a hash of the facts): the same trigger twice is one fact. */
const TriggerId = Type.String({ minLength: 1, maxLength: 200 });

/** Stored format: add, never change; upcast in registry.ts. */
export const paymentEvents = {
  PaymentFailed: closed({
    transaction_ref: TransactionRef,
    amount: Amount,
    currency: Currency,
    customer: CustomerSchema,
    gateway: Type.String({ minLength: 1, maxLength: 60 }),
    failure: FailureSchema,
    payment_method: Type.Optional(PaymentMethodSchema),
    metadata: Type.Optional(MetadataSchema),
    /** The PSP's own objects for this debt, e.g. payment_intent, invoice. */
    references: Type.Optional(MetadataSchema),
    /** The PSP has an engine of its own that retries this debt; `next_at` is absent once it gave up. */
    psp_retries: Type.Optional(closed({ next_at: Type.Optional(Timestamp) })),
    trigger_id: TriggerId,
    /** True when the payment had succeeded before: a late report, which overturns nothing. */
    late: Type.Boolean(),
    failed_at: Timestamp,
  }),
  /** Told after the failure itself: the PSP is going to retry by itself; `next_at` is absent once it gave up. */
  PspRetriesAnnounced: closed({ transaction_ref: TransactionRef, next_at: Type.Optional(Timestamp) }),
  PaymentSucceeded: closed({
    transaction_ref: TransactionRef,
    amount: Amount,
    currency: Currency,
    source: enumOf(successSources),
    trigger_id: TriggerId,
    succeeded_at: Timestamp,
  }),
} as const;

export type PaymentEvent = EventOf<typeof paymentEvents>;
export const paymentStream = (id: string) => `payment-${id}`;
