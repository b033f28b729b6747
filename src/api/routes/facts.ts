import type { Static } from 'typebox';
import type { RecordFailure, RecordSuccess } from '../../commands/payment/decide.js';
import type { Recorded } from '../../commands/payment/record.js';
import { type Instant, instantOf } from '../../kernel/clock.js';
import type { Reply } from '../route.js';
import type { PaymentFailedBody, PaymentSucceededBody } from '../schemas/payments.js';

const instantOr = (given: string | undefined, now: Instant): Instant =>
  (given === undefined ? undefined : instantOf(given)) ?? now;

/** A reported failure as the payment takes it. Without `occurred_at` it happened just now. */
export const failureFacts = (
  { occurred_at, ...facts }: Static<typeof PaymentFailedBody>,
  triggerId: string,
  now: Instant,
): RecordFailure['data'] => ({
  ...facts,
  trigger_id: triggerId,
  failed_at: instantOr(occurred_at, now),
});

/** A success reported by the merchant: neither we nor the PSP brought it in. */
export const successFacts = (
  { occurred_at, ...facts }: Static<typeof PaymentSucceededBody>,
  triggerId: string,
  now: Instant,
): RecordSuccess['data'] => ({
  ...facts,
  source: 'external',
  trigger_id: triggerId,
  succeeded_at: instantOr(occurred_at, now),
});

export const recorded = (status: number, { paymentId, recoveryId, eventId, position }: Recorded): Reply => ({
  status,
  body: { payment_id: paymentId, recovery_id: recoveryId, event_id: eventId },
  position,
});
