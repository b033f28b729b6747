import { orgIdOf, paymentIdOf, recoveryIdOf } from '../../src/kernel/ids.js';
import type { CheckoutPage, Debt } from '../../src/kernel/ports.js';

let serial = 0;

/** A debt of its own, unless told otherwise. */
export const aDebt = (changes: Partial<Debt> = {}): Debt => {
  const orgId = changes.orgId ?? orgIdOf('acme');
  const transactionRef = changes.transactionRef ?? `order-${++serial}`;
  const paymentId = paymentIdOf(orgId, transactionRef);
  return {
    orgId,
    paymentId,
    recoveryId: recoveryIdOf(paymentId),
    transactionRef,
    gateway: 'sandbox',
    amount: 4900,
    currency: 'EUR',
    references: {},
    metadata: {},
    ...changes,
  };
};

export const keyOf = (debt: Debt, attempt = 1): string => `${debt.orgId}:${debt.recoveryId}:${attempt}`;

/** What a click on the pay button asks for. */
export const aPage = (idempotencyKey: string, previous?: string): CheckoutPage => ({
  idempotencyKey,
  merchantName: 'Acme',
  successUrl: 'https://app.test/r/token/done',
  cancelUrl: 'https://app.test/r/token',
  expiresAt: '2026-11-23T10:35:00.000Z',
  requestId: 'req-1',
  ...(previous !== undefined && { previous }),
});
