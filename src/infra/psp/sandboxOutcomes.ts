import type { Debt, Failure } from '../../kernel/ports.js';

/** What the sandbox does with one charge. */
export type SandboxOutcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'decline'; readonly failure: Failure }
  /** Charged, but the answer is lost. */
  | { readonly kind: 'timeout' }
  /** The request is lost before anything happens. */
  | { readonly kind: 'timeout_unrecorded' }
  /** Charged, and the answer takes its time. */
  | { readonly kind: 'slow' };

const networkCodes: Readonly<Record<string, string>> = {
  authentication_required: '1A',
  card_velocity_exceeded: '65',
  do_not_honor: '05',
  expired_card: '54',
  generic_decline: '05',
  incorrect_cvc: '82',
  incorrect_number: '14',
  insufficient_funds: '51',
  issuer_not_available: '91',
  lost_card: '41',
  pickup_card: '04',
  processing_error: '96',
  restricted_card: '62',
  stolen_card: '43',
  transaction_not_allowed: '57',
};

/** Declines that Stripe also gives as the error code; for the others that is `card_declined`. */
const ownErrorCodes: readonly string[] = [
  'authentication_required',
  'expired_card',
  'incorrect_cvc',
  'incorrect_number',
  'processing_error',
];

/** The failure as Stripe words it for a decline code. */
export const declineOf = (declineCode: string): Failure => {
  const networkCode = Object.hasOwn(networkCodes, declineCode) ? networkCodes[declineCode] : undefined;
  return {
    code: ownErrorCodes.includes(declineCode) ? declineCode : 'card_declined',
    decline_code: declineCode,
    message: 'Your card was declined.',
    card_brand: 'visa',
    ...(networkCode !== undefined && { network_code: networkCode }),
  };
};

const outcomeOf = (word: string): SandboxOutcome => {
  switch (word) {
    case 'success':
    case 'timeout':
    case 'timeout_unrecorded':
    case 'slow':
      return { kind: word };
    default:
      return {
        kind: 'decline',
        failure: declineOf(/^[a-z0-9_]{1,60}$/.test(word) ? word : 'generic_decline'),
      };
  }
};

/** Stripe's test payment methods, by the last part of their name. */
const testMethods: Readonly<Record<string, string>> = {
  authenticationRequired: 'authentication_required',
  authenticationRequiredOnSetup: 'authentication_required',
  chargeCustomerFail: 'generic_decline',
  chargeDeclined: 'generic_decline',
  chargeDeclinedExpiredCard: 'expired_card',
  chargeDeclinedFraudulent: 'fraudulent',
  chargeDeclinedIncorrectCvc: 'incorrect_cvc',
  chargeDeclinedInsufficientFunds: 'insufficient_funds',
  chargeDeclinedLostCard: 'lost_card',
  chargeDeclinedProcessingError: 'processing_error',
  chargeDeclinedStolenCard: 'stolen_card',
  chargeDeclinedVelocityLimitExceeded: 'card_velocity_exceeded',
};

const testMethodOutcome = (paymentMethodId: string | undefined): SandboxOutcome => {
  const name = paymentMethodId?.split('_').at(-1) ?? '';
  const declineCode = Object.hasOwn(testMethods, name) ? testMethods[name] : undefined;
  return declineCode === undefined
    ? { kind: 'success' }
    : { kind: 'decline', failure: declineOf(declineCode) };
};

/**
 * What becomes of the debt's charge number `index` (from 0): the word at that place of `sandbox_script`; past its end
 * the last word holds, only that what was lost comes through at last. Without a script the test card decides.
 */
export const outcomeOfCharge = (debt: Debt, index: number): SandboxOutcome => {
  const words = (debt.metadata['sandbox_script'] ?? '')
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  const word = words[index];
  if (word !== undefined) return outcomeOf(word);
  const last = words.at(-1);
  if (last === undefined) return testMethodOutcome(debt.paymentMethodId);
  return last.startsWith('timeout') ? { kind: 'success' } : outcomeOf(last);
};
