import { type PaymentEvent, paymentStream, type SuccessSource } from '../../events/payment.js';
import type { FactOf } from '../../events/envelope.js';
import { type PaymentId, recoveryIdOf } from '../../kernel/ids.js';
import type { Failure } from '../../kernel/ports.js';
import type { Draft, Projection } from '../engine/projection.js';
import { foldOf, instant, keyOfStream } from '../fold.js';

type FailedData = Extract<PaymentEvent, { type: 'PaymentFailed' }>['data'];
type Failed = FactOf<Extract<PaymentEvent, { type: 'PaymentFailed' }>>;

export type PaymentRow = Readonly<{
  /** The payment's id. */
  key: string;
  org_id: string;
  transaction_ref: string;
  status: 'failed' | 'succeeded';
  /** Minor units. */
  amount: number;
  currency: string;
  /** As the newest failure gave it; null for a payment that was never reported failed. */
  customer: FailedData['customer'] | null;
  gateway: string | null;
  /** The newest failure by the time it happened, not by the time it was reported. */
  failure: Failure | null;
  /** Failures reported, late ones included. */
  failures: number;
  payment_method: NonNullable<FailedData['payment_method']> | null;
  metadata: Readonly<Record<string, string>>;
  first_failed_at: string | null;
  last_failed_at: string | null;
  succeeded_at: string | null;
  source: SuccessSource | null;
  /** Null while no failure of it called for a recovery. */
  recovery_id: string | null;
  /** When its first report was taken in; never changes, so lists are in this order. */
  created_at: string;
}>;

type Opening = Pick<PaymentRow, 'status' | 'amount' | 'currency'>;

/** In the order of the columns, so that no row has to be put in order (see Codec.normalize). */
const opened = (
  event: FactOf<PaymentEvent>,
  key: string,
  { status, amount, currency }: Opening,
): Draft<PaymentRow> => ({
  key,
  org_id: event.metadata.org_id,
  transaction_ref: event.data.transaction_ref,
  status,
  amount,
  currency,
  customer: null,
  gateway: null,
  failure: null,
  failures: 0,
  payment_method: null,
  metadata: {},
  first_failed_at: null,
  last_failed_at: null,
  succeeded_at: null,
  source: null,
  recovery_id: null,
  created_at: event.recorded_at,
});

const failed = (row: Draft<PaymentRow>, { data }: Failed): PaymentRow => {
  const at = instant(data.failed_at);
  row.failures += 1;
  if (row.first_failed_at === null || at < row.first_failed_at) row.first_failed_at = at;
  if (!data.late) row.recovery_id ??= recoveryIdOf(row.key as PaymentId);
  if (row.last_failed_at !== null && at < row.last_failed_at) return row;
  row.customer = data.customer;
  row.gateway = data.gateway;
  row.failure = data.failure;
  row.payment_method = data.payment_method ?? row.payment_method;
  row.metadata = data.metadata ?? row.metadata;
  row.last_failed_at = at;
  return row;
};

/** Payments by id. A failure that is reported after the success overturns nothing. */
export const payments: Projection<PaymentRow> = {
  version: 2,
  table: {
    name: 'payments',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      transaction_ref: 'text',
      status: 'text',
      amount: 'bigint',
      currency: 'text',
      customer: 'jsonb',
      gateway: 'text',
      failure: 'jsonb',
      failures: 'integer',
      payment_method: 'jsonb',
      metadata: 'jsonb',
      first_failed_at: 'timestamptz',
      last_failed_at: 'timestamptz',
      succeeded_at: 'timestamptz',
      source: 'text',
      recovery_id: 'uuid',
      created_at: 'timestamptz',
    },
    indexes: [
      ['org_id', 'created_at', 'key'],
      ['org_id', 'status', 'created_at', 'key'],
      ['org_id', 'transaction_ref'],
    ],
  },
  keysOf: keyOfStream,
  streamOf: paymentStream,
  ...foldOf<PaymentRow, PaymentEvent>(
    {
      PaymentFailed: (event, key, row) => {
        const { amount, currency } = event.data;
        return failed(row ?? opened(event, key, { status: 'failed', amount, currency }), event);
      },
      PaymentSucceeded: (event, key, row) => {
        if (row?.status === 'succeeded') return row;
        const { amount, currency, source, succeeded_at } = event.data;
        const next = row ?? opened(event, key, { status: 'succeeded', amount, currency });
        next.status = 'succeeded';
        next.source = source;
        next.succeeded_at = instant(succeeded_at);
        return next;
      },
    },
    {},
  ),
};
