import type { SuccessSource } from '../../events/payment.js';
import type { EventStore } from '../../events/eventStore.js';
import type { PaymentId } from '../../kernel/ids.js';
import type { Debt } from '../../kernel/ports.js';
import { debtOf } from '../payment/debt.js';
import { type FactContext, recordPaymentSuccess } from '../payment/record.js';
import type { Payment } from '../payment/state.js';
import { type Acting, contextOf, type Done, give, nowOf, requestIdOf } from './acting.js';
import type { KnownRecovery } from './state.js';

/** The PSP says when asked that the debt is paid: a fact of the payment, as if the PSP had told it by itself. */
export const recordPaidAtPsp = (
  store: EventStore,
  { gateway, transactionRef: transaction_ref, amount, currency }: Debt,
  { reference: trigger_id, source }: { readonly reference: string; readonly source: SuccessSource },
  context: FactContext,
): Promise<unknown> => {
  const principal = { actor: { type: 'psp', id: gateway }, orgId: context.principal.orgId } as const;
  const data = { transaction_ref, amount, currency, source, trigger_id, succeeded_at: context.now };
  return recordPaymentSuccess(store, data, { ...context, principal });
};

/**
 * The page a customer once opened must not be paid beside what comes next, and may have been paid already: the PSP
 * closes it or says what became of it.
 * @returns what that led to; undefined when nothing came of the checkout
 */
const closeCheckout = async (acting: Acting, known: KnownRecovery, debt: Debt): Promise<Done | undefined> => {
  const { deps } = acting;
  if (known.checkout === undefined) return undefined;
  const { reference } = known.checkout;
  const answer = await deps.psp.closeCheckout(debt, reference, requestIdOf(acting, 'checkout'));
  const now = nowOf(acting);
  switch (answer.status) {
    case 'closed':
      return undefined;
    case 'paid': {
      const paid = { reference: answer.reference, source: 'link' } as const;
      await recordPaidAtPsp(deps.store, debt, paid, contextOf(acting, 'paid'));
      const { amount, currency } = debt;
      return give(acting, { type: 'SucceedRecovery', data: { amount, currency, ...paid, now } });
    }
    case 'undecided': {
      const data = { reference, reason: answer.reason.slice(0, 500), now };
      const noted = await give(acting, { type: 'AwaitCheckout', data });
      return noted.events.length > 0 ? noted : undefined;
    }
    default:
      return answer satisfies never;
  }
};

/**
 * The debt may have been settled before the saga told the recovery, or at a checkout that nobody reported.
 * @returns what that led to; undefined when the debt is still to be collected
 */
export const settledElsewhere = async (
  acting: Acting,
  known: KnownRecovery,
  payment: Payment,
): Promise<Done | undefined> => {
  if (payment.status === 'succeeded') {
    const { amount, currency, source, trigger_id: reference } = payment.success;
    const data = { amount, currency, source, reference, now: nowOf(acting) };
    return give(acting, { type: 'SucceedRecovery', data });
  }
  const debt = debtOf(acting.principal.orgId, known.paymentId as PaymentId, payment);
  return debt && closeCheckout(acting, known, debt);
};
