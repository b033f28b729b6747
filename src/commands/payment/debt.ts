import { type OrgId, type PaymentId, recoveryIdOf } from '../../kernel/ids.js';
import type { Debt } from '../../kernel/ports.js';
import type { Payment } from './state.js';

type LastFailure = Extract<Payment, { status: 'failed' }>['last'];

/** A failure reported by API may name Stripe's objects only in its own reference or metadata. */
const referencesOf = ({ references, transaction_ref, metadata }: LastFailure): Debt['references'] => {
  const words = [transaction_ref, ...Object.values(metadata ?? {})];
  const named = (prefix: string) => words.find((word) => new RegExp(`^${prefix}_[A-Za-z0-9_]+$`).test(word));
  const [intent, invoice] = [named('pi'), named('in')];
  return {
    ...(intent !== undefined && { payment_intent: intent }),
    ...(invoice !== undefined && { invoice }),
    ...references,
  };
};

/** What a PSP has to know to collect the payment; undefined when no failure of it was ever recorded. */
export const debtOf = (orgId: OrgId, paymentId: PaymentId, payment: Payment): Debt | undefined => {
  if (payment.status === 'unknown' || payment.last === undefined) return undefined;
  const { last } = payment;
  return {
    orgId,
    paymentId,
    recoveryId: recoveryIdOf(paymentId),
    transactionRef: last.transaction_ref,
    gateway: last.gateway,
    amount: last.amount,
    currency: last.currency,
    ...(last.payment_method?.id !== undefined && { paymentMethodId: last.payment_method.id }),
    ...(last.customer.id !== undefined && { customerId: last.customer.id }),
    references: referencesOf(last),
    metadata: last.metadata ?? {},
  };
};
