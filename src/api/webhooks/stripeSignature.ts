import Stripe from 'stripe';
import { DomainError } from '../../kernel/errors.js';
import { type Json, objectOf } from './json.js';

const TOLERANCE_SECONDS = 300;

/**
 * Checks Stripe's signature over the raw body and only then reads it.
 * @param now the instant the request came in; signatures older than five minutes are refused
 * @throws DomainError signature_invalid, or not_parsable for a signed body that is no JSON object
 */
export const verifyStripeSignature = (
  rawBody: Buffer | string,
  header: string | undefined,
  secret: string,
  now: Date,
): Json => {
  const invalid = (cause?: unknown): DomainError =>
    new DomainError('signature_invalid', 'The Stripe-Signature header does not match the body', [], {
      cause,
    });
  if (header === undefined || header === '') throw invalid();
  const { signature } = Stripe.webhooks;
  if (signature === null) throw invalid();
  try {
    signature.verifyHeader(rawBody, header, secret, TOLERANCE_SECONDS, undefined, now.getTime());
  } catch (error) {
    // Stripe's error carries the whole body: keep its words only.
    throw invalid(new Error((error as Error).message));
  }
  let event: unknown;
  try {
    event = JSON.parse(rawBody.toString());
  } catch {
    throw new DomainError('not_parsable', 'The body is not JSON');
  }
  const object = objectOf(event);
  if (object === undefined) throw new DomainError('not_parsable', 'The body is not a JSON object');
  return object;
};
