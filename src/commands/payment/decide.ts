import type { Message } from '../../kernel/message.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import type { PaymentEvent } from '../../events/payment.js';
import { evolve, failureBy, initialState, type Payment } from './state.js';

type DataOf<T extends PaymentEvent['type']> = Extract<PaymentEvent, { type: T }>['data'];

export type RecordFailure = Message<'RecordFailure', Omit<DataOf<'PaymentFailed'>, 'late'>>;
/** Amount and currency may be left out, both of them, when the payment is known. */
export type RecordSuccess = Message<
  'RecordSuccess',
  Omit<DataOf<'PaymentSucceeded'>, 'amount' | 'currency'> & {
    readonly amount?: number;
    readonly currency?: string;
  }
>;
export type AnnouncePspRetries = Message<
  'AnnouncePspRetries',
  /** `trigger_id`: of the failure that the report is of. */
  DataOf<'PspRetriesAnnounced'> & { readonly trigger_id: string }
>;
export type PaymentCommand = RecordFailure | RecordSuccess | AnnouncePspRetries;

/** Far beyond what card networks allow; what goes on is a fault of the reporter, and the stream must stay short. */
export const MAX_FAILURES = 1000;

const mismatch = ({ amount, currency }: { readonly amount: number; readonly currency: string }) =>
  new DomainError('amount_mismatch', 'The transaction_ref names a payment of another amount or currency', [
    { pointer: '/amount', detail: `known as ${amount} ${currency}` },
  ]);

const recordFailure = ({ data }: RecordFailure, payment: Payment): PaymentEvent[] => {
  if (failureBy(payment, data.trigger_id) !== undefined) return [];
  if (
    payment.status === 'failed' &&
    (payment.last.amount !== data.amount || payment.last.currency !== data.currency)
  )
    throw mismatch(payment.last);
  if ((payment.failures?.count ?? 0) >= MAX_FAILURES)
    throw new DomainError('too_many_failures', `A payment holds at most ${MAX_FAILURES} failures`);
  return [{ type: 'PaymentFailed', data: { ...data, late: payment.status === 'succeeded' } }];
};

const amountRequired = (field: 'amount' | 'currency', detail: string): DomainError =>
  new DomainError('amount_required', 'The amount that came in is not known', [
    { pointer: `/${field}`, detail },
  ]);

/**
 * What came in, as told or else as the failure had it. Another amount than the failure's is taken as told: a merchant
 * may settle for less, or collect a fee on top.
 */
const amountOf = ({ amount, currency }: RecordSuccess['data'], payment: Payment) => {
  const known = payment.status === 'failed' ? payment.last : undefined;
  if ((amount === undefined) !== (currency === undefined))
    throw amountRequired(amount === undefined ? 'amount' : 'currency', 'amount and currency go together');
  if (amount !== undefined && currency !== undefined) {
    if (known !== undefined && known.currency !== currency) throw mismatch(known);
    return { amount, currency };
  }
  if (known === undefined) throw amountRequired('amount', 'required for a payment not seen before');
  return { amount: known.amount, currency: known.currency };
};

const recordSuccess = ({ data }: RecordSuccess, payment: Payment): PaymentEvent[] =>
  payment.status === 'succeeded'
    ? []
    : [{ type: 'PaymentSucceeded', data: { ...data, ...amountOf(data, payment) } }];

/**
 * Once: when exactly the PSP retries next is its own affair. Only what was told of is over, and what is told late of an
 * older failure is not how things stand.
 */
const announcePspRetries = ({ data }: AnnouncePspRetries, payment: Payment): PaymentEvent[] => {
  const { trigger_id, ...told } = data;
  if (payment.status !== 'failed') return [];
  const older = payment.last.trigger_id !== trigger_id && failureBy(payment, trigger_id) !== undefined;
  const retries = payment.last.psp_retries?.next_at !== undefined;
  const gaveUp = told.next_at === undefined;
  return older || retries !== gaveUp ? [] : [{ type: 'PspRetriesAnnounced', data: told }];
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
      case 'AnnouncePspRetries':
        return announcePspRetries(command, payment);
      default:
        return command satisfies never;
    }
  },
};
