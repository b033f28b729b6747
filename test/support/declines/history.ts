import { classify } from '../../../src/commands/recovery/classification/classify.js';
import { tablesInForceOn } from '../../../src/commands/recovery/classification/tables.js';
import type { RecordedEvent, StreamId } from '../../../src/events/envelope.js';
import { paymentStream } from '../../../src/events/payment.js';
import { recoveryStream } from '../../../src/events/recovery.js';
import { MemoryEventStore } from '../../../src/infra/eventStore/memoryEventStore.js';
import { DAY, type Instant, plus } from '../../../src/kernel/clock.js';
import { eventIdOf, deriveId, type OrgId, paymentIdOf, recoveryIdOf } from '../../../src/kernel/ids.js';
import type { Failure } from '../../../src/kernel/ports.js';
import { numbered, recorded } from '../projectionSpec.js';

/** One payment's failures, the first of which starts its recovery, a day apart. */
export interface FailedPayment {
  readonly org: OrgId;
  readonly ref: string;
  readonly at: Instant;
  readonly failures: readonly Failure[];
  /** The last one is the answer to a retry of ours. */
  readonly declined?: boolean;
  readonly amount?: number;
  readonly currency?: string;
}

const policy = {
  version: 0,
  max_retries: 4,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 1_440,
  enabled_channels: ['email'],
};

export const recoveryOf = ({ org, ref }: Pick<FailedPayment, 'org' | 'ref'>): string =>
  recoveryIdOf(paymentIdOf(org, ref));

const eventsOf = ({ org, ref, at, failures, declined, ...debt }: FailedPayment): RecordedEvent[] => {
  const { amount = 5_000, currency = 'EUR' } = debt;
  const paymentId = paymentIdOf(org, ref);
  const cohort = { opened_at: at, amount, currency };
  return failures.flatMap((failure, index) => {
    const when = plus(at, index * DAY);
    const metadata = { org_id: org, occurred_at: when };
    const classified = { ...classify(failure, when, tablesInForceOn(when)), cohort };
    const trigger_id = `t${index}`;
    const recovery = (type: string, data: object) =>
      recorded(recoveryStream(recoveryIdOf(paymentId)), type, { ...data, ...classified }, metadata);
    if (declined === true && index === failures.length - 1)
      return [recovery('RetryDeclined', { attempt: 1, failure })];
    const failed = {
      transaction_ref: ref,
      amount,
      currency,
      customer: { email: 'ada@example.com' },
      gateway: 'stripe',
      failure,
      trigger_id,
      late: false,
      failed_at: when,
    };
    const started = {
      payment_id: paymentId,
      transaction_ref: ref,
      gateway: 'stripe',
      trigger_id,
      policy_version: 0,
      policy,
      channels: ['email'],
      expires_at: plus(at, 30 * DAY),
    };
    return [
      recorded(paymentStream(paymentId), 'PaymentFailed', failed, metadata),
      index === 0 ? recovery('RecoveryStarted', started) : recovery('FurtherFailureRecorded', { trigger_id }),
    ];
  });
};

/** A log of them, in the order of time, classified by the tables of each day. */
export const declineHistory = (payments: readonly FailedPayment[]): RecordedEvent[] => {
  const events = payments.flatMap(eventsOf);
  const ordered = events.sort((a, b) =>
    a.recorded_at < b.recorded_at ? -1 : a.recorded_at > b.recorded_at ? 1 : 0,
  );
  return numbered(ordered).map((event) => ({
    ...event,
    id: eventIdOf(deriveId('declines', event.stream, String(event.revision)), 0),
  }));
};

/** A store that holds it. */
export const storeOf = async (payments: readonly FailedPayment[]): Promise<MemoryEventStore> => {
  const store = new MemoryEventStore();
  const revisions = new Map<StreamId, bigint>();
  for (const event of declineHistory(payments)) {
    const expected = revisions.get(event.stream) ?? 'no_stream';
    revisions.set(event.stream, (await store.append(event.stream, expected, [event])).revision);
  }
  return store;
};
