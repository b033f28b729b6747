import { paymentStream } from '../../events/payment.js';
import { type PaymentId, recoveryIdOf } from '../../kernel/ids.js';
import { given, recorded } from '../../../test/support/projectionSpec.js';
import { payments } from './projection.js';

const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
const PAYMENT = '5f0c1c9e-0000-4000-8000-0000000000bb' as PaymentId;
const [first, second, third] = [
  '2026-03-01T10:00:00.000Z',
  '2026-03-02T10:00:00.000Z',
  '2026-03-03T10:00:00.000Z',
] as const;
const taken = '2026-03-05T00:00:00.000Z';

const event = (type: string, data: object) =>
  recorded(paymentStream(PAYMENT), type, data, { org_id: ORG, occurred_at: taken });
const failed = (failed_at: string, more: object = {}) =>
  event('PaymentFailed', {
    transaction_ref: 'order-1',
    amount: 5_000,
    currency: 'EUR',
    customer: { email: 'ann@example.com' },
    gateway: 'stripe',
    failure: { decline_code: `at ${failed_at}` },
    trigger_id: failed_at,
    late: false,
    failed_at,
    ...more,
  });
const succeeded = (succeeded_at: string, source = 'external') =>
  event('PaymentSucceeded', {
    transaction_ref: 'order-1',
    amount: 5_000,
    currency: 'EUR',
    source,
    trigger_id: succeeded_at,
    succeeded_at,
  });

describe('payments', () => {
  it('shows a failed one', () =>
    given(payments, failed(first, { payment_method: { last4: '4242' }, metadata: { a: 'b' } })).thenRow(
      PAYMENT,
      {
        key: PAYMENT,
        org_id: ORG,
        transaction_ref: 'order-1',
        status: 'failed',
        amount: 5_000,
        currency: 'EUR',
        customer: { email: 'ann@example.com' },
        gateway: 'stripe',
        failure: { decline_code: `at ${first}` },
        failures: 1,
        payment_method: { last4: '4242' },
        metadata: { a: 'b' },
        first_failed_at: first,
        last_failed_at: first,
        succeeded_at: null,
        source: null,
        recovery_id: recoveryIdOf(PAYMENT),
        created_at: taken,
      },
    ));

  it('takes further failures in any order: the newest is the one that shows', () =>
    given(
      payments,
      failed(second, { payment_method: { last4: '4242' } }),
      failed(first, { gateway: 'old' }),
      failed(third, { gateway: 'new' }),
    ).thenRow(PAYMENT, {
      failures: 3,
      first_failed_at: first,
      last_failed_at: third,
      failure: { decline_code: `at ${third}` },
      gateway: 'new',
      payment_method: { last4: '4242' },
    }));

  it('shows the success, the first one reported', () =>
    given(payments, failed(first), succeeded(second, 'link'), succeeded(third)).thenRow(PAYMENT, {
      status: 'succeeded',
      succeeded_at: second,
      source: 'link',
      failures: 1,
    }));

  it('counts a failure reported late, which overturns nothing', () =>
    given(payments, failed(first), succeeded(third), failed(second, { late: true })).thenRow(PAYMENT, {
      status: 'succeeded',
      succeeded_at: third,
      failures: 2,
      last_failed_at: second,
    }));

  it('knows a payment that only ever succeeded, and has no recovery for it', () => {
    given(payments, succeeded(first)).thenRow(PAYMENT, {
      status: 'succeeded',
      amount: 5_000,
      customer: null,
      failures: 0,
      first_failed_at: null,
      recovery_id: null,
    });
    given(payments, succeeded(first), failed(second, { late: true })).thenRow(PAYMENT, {
      status: 'succeeded',
      customer: { email: 'ann@example.com' },
      recovery_id: null,
    });
  });
});
