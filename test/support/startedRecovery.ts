import { recordPaymentFailure } from '../../src/commands/payment/record.js';
import { rulesReader } from '../../src/commands/rules/reader.js';
import { followFailure } from '../../src/commands/recovery/followPayment.js';
import type { EventStore } from '../../src/events/eventStore.js';
import type { Instant } from '../../src/kernel/clock.js';
import { type OrgId, paymentIdOf, type RecoveryId, recoveryIdOf } from '../../src/kernel/ids.js';
import { MEANS, policy, T0 } from './recoverySamples.js';

/** A payment that failed at T0, and the recovery that the saga started for it: at once, unless `now` says later. */
export const startRecovery = async (
  store: EventStore,
  orgId: OrgId,
  decline_code: string,
  transaction_ref = 'inv_1',
  { failedAt = T0, now = failedAt }: { readonly failedAt?: Instant; readonly now?: Instant } = {},
): Promise<RecoveryId> => {
  const principal = { actor: { type: 'system', id: 'test' }, orgId } as const;
  const context = { principal, correlationId: 'c', causationId: 'c', now };
  const failure = {
    transaction_ref,
    amount: 4900,
    currency: 'EUR',
    customer: { email: 'ada@example.com', name: 'Ada' },
    gateway: 'sandbox',
    failure: { decline_code },
    trigger_id: 't1',
    failed_at: failedAt,
  };
  const recorded = await recordPaymentFailure(store, failure, context);
  const paymentId = paymentIdOf(orgId, transaction_ref);
  const message = {
    id: recorded.eventId,
    key: paymentId,
    org_id: orgId,
    time: now,
    position: String(recorded.position),
    correlation_id: 'c',
    type: 'payment.failed',
    data: { payment_id: paymentId, trigger_id: 't1', late: false },
  } as const;
  const deps = {
    store,
    rulesOf: rulesReader(store),
    policyOf: async () => policy,
    meansOf: async () => MEANS,
  };
  await followFailure(deps, message, context);
  return recoveryIdOf(paymentId);
};
