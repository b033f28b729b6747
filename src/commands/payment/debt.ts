import { type OrgId, type PaymentId, recoveryIdOf } from '../../kernel/ids.js';
import type { Debt } from '../../kernel/ports.js';
import type { Payment } from './state.js';

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
    references: last.references ?? {},
    metadata: last.metadata ?? {},
  };
};
