import type { Message } from '../../kernel/message.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import type { PaymentEvent } from '../../events/payment.js';
import { evolve, initialState, type Payment } from './state.js';

type DataOf<T extends PaymentEvent['type']> = Extract<PaymentEvent, { type: T }>['data'];

export type RecordFailure = Message<'RecordFailure', Omit<DataOf<'PaymentFailed'>, 'late'>>;
/** Amount and currency may be left out when the payment is known. */
export type RecordSuccess = Message<
  'RecordSuccess',
  Omit<DataOf<'PaymentSucceeded'>, 'amount' | 'currency'> & {
    readonly amount?: number;
    readonly currency?: string;
  }
>;
export type PaymentCommand = RecordFailure | RecordSuccess;

const recordFailure = ({ data }: RecordFailure, payment: Payment): PaymentEvent[] => {
  if (payment.failures.has(data.trigger_id)) return [];
  if (
    payment.status === 'failed' &&
    (payment.last.amount !== data.amount || payment.last.currency !== data.currency)
  )
    throw new DomainError(
      'amount_mismatch',
      'The transaction_ref names a payment of another amount or currency',
      [{ pointer: '/amount', detail: `known as ${payment.last.amount} ${payment.last.currency}` }],
    );
  return [{ type: 'PaymentFailed', data: { ...data, late: payment.status === 'succeeded' } }];
};

const recordSuccess = ({ data }: RecordSuccess, payment: Payment): PaymentEvent[] => {
  if (payment.status === 'succeeded') return [];
  const known = payment.status === 'failed' ? payment.last : undefined;
  const amount = data.amount ?? known?.amount;
  const currency = data.currency ?? known?.currency;
  if (amount === undefined || currency === undefined)
    throw new DomainError('amount_required', 'The payment is not known yet: give its amount and currency', [
      {
        pointer: amount === undefined ? '/amount' : '/currency',
        detail: 'required for a payment not seen before',
      },
    ]);
  return [{ type: 'PaymentSucceeded', data: { ...data, amount, currency } }];
};

export const paymentDecider: Decider<Payment, PaymentCommand, PaymentEvent> = {
  initialState,
  evolve,
  decide: (command, payment) => {
    switch (command.type) {
      case 'RecordFailure':
        return recordFailure(command, payment);
      case 'RecordSuccess':
        return recordSuccess(command, payment);
      default:
        return command satisfies never;
    }
  },
};
