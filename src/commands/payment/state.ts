import type { PaymentEvent } from '../../events/payment.js';
import { type Instant, isBefore, latest } from '../../kernel/clock.js';
import { foldEmail } from '../../kernel/ids.js';

export type FailedData = Extract<PaymentEvent, { type: 'PaymentFailed' }>['data'];
type SucceededData = Extract<PaymentEvent, { type: 'PaymentSucceeded' }>['data'];

/** The failures from the one told last back: one more costs the same however many there are. */
interface Failures {
  readonly newest: FailedData;
  readonly count: number;
  /** When the latest of them happened, which another may have been told after. */
  readonly latestAt: Instant;
  /** What caused the very first of them to be recorded. */
  readonly firstTrigger: string;
  readonly before: Failures | undefined;
}

interface Known {
  readonly failures?: Failures;
  /** The PSP had retries of its own to make. */
  readonly pspRetried?: true;
}

/** A success is final: a failure reported later changes nothing but the list of failures. */
export type Payment =
  | (Known & { readonly status: 'unknown' })
  | (Known & { readonly status: 'failed'; readonly last: FailedData })
  | (Known & { readonly status: 'succeeded'; readonly success: SucceededData; readonly last?: FailedData });

export const initialState: Payment = { status: 'unknown' };

/** Where the customer can be mailed, as the failures told it. */
export const emailOf = (payment: Payment): string | undefined =>
  payment.status === 'unknown' ? undefined : payment.last?.customer.email;

const foundBy = ({ failures }: Payment, triggerId: string): Failures | undefined => {
  for (let each = failures; each !== undefined; each = each.before)
    if (each.newest.trigger_id === triggerId) return each;
  return undefined;
};

/** The failure that was recorded because of this trigger. */
export const failureBy = (payment: Payment, triggerId: string): FailedData | undefined =>
  foundBy(payment, triggerId)?.newest;

/** Whether one that had happened later was told before it. */
export const isOvertaken = (payment: Payment, triggerId: string): boolean => {
  const { newest, before } = foundBy(payment, triggerId) ?? {};
  return newest !== undefined && before !== undefined && isBefore(newest.failed_at, before.latestAt);
};

/** Whether it told the address that mails go to by now, and none before it did. */
export const broughtAddress = (payment: Payment, triggerId: string): boolean => {
  const { newest, before } = foundBy(payment, triggerId) ?? {};
  const email = newest?.customer.email;
  if (email === undefined || emailOf(payment) !== email) return false;
  for (let each = before; each !== undefined; each = each.before) {
    const known = each.newest.customer.email;
    if (known !== undefined && foldEmail(known) === foldEmail(email)) return false;
  }
  return true;
};

const adding = (before: Failures | undefined, newest: FailedData): Failures => ({
  newest,
  count: (before?.count ?? 0) + 1,
  latestAt: latest(before?.latestAt, newest.failed_at) ?? newest.failed_at,
  firstTrigger: before?.firstTrigger ?? newest.trigger_id,
  before,
});

type Method = FailedData['payment_method'];

const differs = (told: string | undefined, known: string | undefined): boolean =>
  told !== undefined && known !== undefined && told !== known;

/** A report that leaves the fingerprint out tells of no other card by that, nor one that names none and contradicts nothing. */
const isAnother = (told: NonNullable<Method>, known: Method): boolean =>
  told.id !== undefined
    ? told.id !== known?.id || differs(told.fingerprint, known.fingerprint)
    : told.fingerprint !== undefined
      ? told.fingerprint !== known?.fingerprint
      : differs(told.last4, known?.last4) || differs(told.country, known?.country);

/** What an earlier report told of the card, where this one leaves it out. */
const withCard = (data: FailedData, { payment_method: method, failure }: FailedData): FailedData => {
  if (data.payment_method !== undefined && isAnother(data.payment_method, method)) return data;
  const { card_brand } = { ...failure, ...data.failure };
  return {
    ...data,
    ...(method && { payment_method: { ...method, ...data.payment_method } }),
    failure: { ...data.failure, ...(card_brand !== undefined && { card_brand }) },
  };
};

/** A later failure may tell less: what an earlier one knew of the customer and of the PSP's objects still holds. */
const enriched = (data: FailedData, before: FailedData): FailedData => ({
  ...before,
  ...withCard(data, before),
  customer: { ...before.customer, ...data.customer },
  ...(before.references !== undefined && { references: { ...before.references, ...data.references } }),
});

/** What one that is told too late knew fills no more than gaps. */
const lastOf = (told: FailedData, known: FailedData): FailedData =>
  isBefore(told.failed_at, known.failed_at) ? enriched(known, told) : enriched(told, known);

export type PspRetries = 'to_come' | 'over';

/** How it stands with the PSP's own retries by now; undefined: it never had any to make. */
export const pspRetriesOf = (payment: Payment): PspRetries | undefined => {
  if (payment.pspRetried === undefined || payment.status === 'unknown') return undefined;
  return payment.last?.psp_retries?.next_at === undefined ? 'over' : 'to_come';
};

const retried = ({ pspRetried }: Known, told: FailedData['psp_retries']): Pick<Known, 'pspRetried'> =>
  pspRetried === true || told?.next_at !== undefined ? { pspRetried: true } : {};

/** A failure with all that is known of the card it was of. */
export const cardFailureOf = (payment: Payment, failure: FailedData): FailedData =>
  payment.status === 'unknown' || payment.last === undefined ? failure : withCard(failure, payment.last);

export const evolve = (payment: Payment, event: PaymentEvent): Payment => {
  switch (event.type) {
    case 'PaymentFailed': {
      const failures = adding(payment.failures, event.data);
      return payment.status === 'succeeded'
        ? { ...payment, failures }
        : {
            status: 'failed',
            failures,
            ...retried(payment, event.data.psp_retries),
            last: payment.status === 'failed' ? lastOf(event.data, payment.last) : event.data,
          };
    }
    case 'PspRetriesAnnounced': {
      const { next_at } = event.data;
      const psp_retries = next_at === undefined ? {} : { next_at };
      return payment.status === 'failed'
        ? { ...payment, ...retried(payment, psp_retries), last: { ...payment.last, psp_retries } }
        : payment;
    }
    case 'PaymentSucceeded':
      return { ...payment, status: 'succeeded', success: event.data };
    default:
      return event satisfies never;
  }
};
