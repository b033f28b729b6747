import type { PaymentEvent } from '../../events/payment.js';

type FailedData = Extract<PaymentEvent, { type: 'PaymentFailed' }>['data'];
type SucceededData = Extract<PaymentEvent, { type: 'PaymentSucceeded' }>['data'];

interface Known {
  /** Every failure by what caused it to be recorded, in order. */
  readonly failures: ReadonlyMap<string, FailedData>;
}

/** A success is final: a failure reported later changes nothing but the list of failures. */
export type Payment =
  | (Known & { readonly status: 'unknown' })
  | (Known & { readonly status: 'failed'; readonly last: FailedData })
  | (Known & { readonly status: 'succeeded'; readonly success: SucceededData; readonly last?: FailedData });

export const initialState: Payment = { status: 'unknown', failures: new Map() };

/** A later report may say less: what an earlier one knew of the customer and of the PSP's objects still holds. */
const enriched = (data: FailedData, before: FailedData | undefined): FailedData =>
  before === undefined
    ? data
    : {
        ...before,
        ...data,
        customer: { ...before.customer, ...data.customer },
        ...(before.references !== undefined && { references: { ...before.references, ...data.references } }),
      };

export const evolve = (payment: Payment, event: PaymentEvent): Payment => {
  switch (event.type) {
    case 'PaymentFailed': {
      const failures = new Map([...payment.failures, [event.data.trigger_id, event.data]]);
      return payment.status === 'succeeded'
        ? { ...payment, failures }
        : {
            status: 'failed',
            failures,
            last: enriched(event.data, payment.status === 'failed' ? payment.last : undefined),
          };
    }
    case 'PaymentSucceeded':
      return { ...payment, status: 'succeeded', success: event.data };
    default:
      return event satisfies never;
  }
};
