import { Type } from 'typebox';
import { successSources } from '../../events/payment.js';
import {
  Amount,
  Currency,
  Email,
  FailureSchema,
  MetadataSchema,
  PaymentMethodSchema,
  PersonName,
  Segment,
} from '../../events/schema.js';
import { closed, enumOf, listOf, named, nullable, Timestamp, Uuid } from './common.js';

const TransactionRef = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "The merchant's own name for the payment, unique within the organization",
});

export const PaymentFailedBody = closed({
  transaction_ref: TransactionRef,
  amount: Amount,
  currency: Currency,
  customer: closed({
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    email: Email,
    name: Type.Optional(PersonName),
    timezone: Type.Optional(
      Type.String({ format: 'time-zone', maxLength: 60, description: 'IANA time zone' }),
    ),
    segment: Type.Optional(Segment),
  }),
  gateway: Type.String({ minLength: 1, maxLength: 60 }),
  failure: FailureSchema,
  payment_method: Type.Optional(PaymentMethodSchema),
  occurred_at: Type.Optional(Timestamp),
  metadata: Type.Optional(MetadataSchema),
  psp_retries: Type.Optional(
    Type.Object(
      { next_at: Type.Optional(Timestamp) },
      {
        additionalProperties: false,
        description: 'The PSP retries by itself: when next, or without `next_at` that it gave up',
      },
    ),
  ),
});
export const PaymentSucceededBody = closed({
  transaction_ref: TransactionRef,
  amount: Type.Optional(Amount),
  currency: Type.Optional(Currency),
  occurred_at: Type.Optional(Timestamp),
});
export const RecordedSchema = named('Recorded', { payment_id: Uuid, recovery_id: Uuid, event_id: Uuid });

export const paymentStatuses = ['failed', 'succeeded'] as const;
export const PaymentSchema = named('Payment', {
  id: Uuid,
  transaction_ref: Type.String(),
  status: enumOf(paymentStatuses),
  amount: Type.Integer({ description: 'Minor units' }),
  currency: Type.String(),
  customer: nullable(Type.Record(Type.String(), Type.String())),
  gateway: nullable(Type.String()),
  failure: nullable(FailureSchema),
  failures: Type.Integer({ description: 'How often it was reported failed' }),
  payment_method: nullable(PaymentMethodSchema),
  metadata: MetadataSchema,
  first_failed_at: nullable(Timestamp),
  last_failed_at: nullable(Timestamp),
  succeeded_at: nullable(Timestamp),
  source: nullable(enumOf(successSources)),
  recovery_id: nullable(Uuid),
  created_at: Timestamp,
});
export const PaymentListSchema = listOf('PaymentList', PaymentSchema);
