import type { EventStore } from '../../events/eventStore.js';
import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import { DAY, type Instant, isBefore, plus } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/errors.js';
import {
  deriveId,
  eventIdOf,
  type PaymentId,
  paymentIdOf,
  type RecoveryId,
  recoveryIdOf,
} from '../../kernel/ids.js';
import { canonicalJson } from '../../kernel/json.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { absent, handle } from '../handle.js';
import {
  type AnnouncePspRetries,
  type PaymentCommand,
  paymentDecider,
  type RecordFailure,
  type RecordSuccess,
} from './decide.js';

/** Without the caller's own command id: a fact's trigger names its command, so the same fact twice is one event. */
export type FactContext = Omit<CommandContext, 'commandId'>;

export interface Recorded {
  readonly paymentId: PaymentId;
  readonly recoveryId: RecoveryId;
  /** The event that holds the fact, also when it was recorded before. */
  readonly eventId: string;
  readonly position: Position;
}

const EARLIEST: Instant = '2000-01-01T00:00:00.000Z';

/** Clocks differ, and an hour is easily taken for another; a fact of the next decade is an error. */
const assertPlausible = (at: Instant, now: Instant): void => {
  if (isBefore(at, EARLIEST) || isBefore(plus(now, DAY), at))
    throw new DomainError('validation_failed', 'The fact is of an implausible time', [
      { pointer: '/occurred_at', detail: 'must be from 2000-01-01 on and at most a day ahead' },
    ]);
};

const commandIdOf = (type: PaymentCommand['type'], paymentId: PaymentId, triggerId: string): string =>
  deriveId(type, paymentId, triggerId);

const record = async (
  store: EventStore,
  command: RecordFailure | RecordSuccess,
  occurredAt: Instant,
  context: FactContext,
): Promise<Recorded> => {
  const paymentId = paymentIdOf(context.principal.orgId, command.data.transaction_ref);
  const commandId = commandIdOf(command.type, paymentId, command.data.trigger_id);
  const options = command.type === 'RecordFailure' ? { from: absent(paymentDecider) } : {};
  const stream = paymentStream(paymentId);
  const full = { ...context, commandId, occurredAt };
  const { state, position } = await handle(store, paymentDecider, stream, command, full, options);
  // A payment succeeds once: a success told in other words is held by the event of the first.
  const eventId =
    command.type === 'RecordSuccess' && state.status === 'succeeded'
      ? eventIdOf(commandIdOf(command.type, paymentId, state.success.trigger_id), 0)
      : eventIdOf(commandId, 0);
  return { paymentId, recoveryId: recoveryIdOf(paymentId), eventId, position };
};

/**
 * No failure is told before it happens: by a clock that is ahead it would count as newer than those that follow.
 * @throws DomainError `forbidden`, `validation_failed` (an implausible time), `amount_mismatch` (the reference names a
 * payment of another amount or currency), `too_many_failures`
 */
export const recordPaymentFailure = async (
  store: EventStore,
  data: RecordFailure['data'],
  context: FactContext,
): Promise<Recorded> => {
  authorize(context.principal, 'payment.record_failure');
  assertPlausible(data.failed_at, context.now);
  const failed_at = isBefore(context.now, data.failed_at) ? context.now : data.failed_at;
  return record(store, { type: 'RecordFailure', data: { ...data, failed_at } }, failed_at, context);
};

/**
 * @throws DomainError `forbidden`, `validation_failed` (an implausible time), `amount_mismatch` (another currency),
 * `amount_required` (the payment is not known and no amount was given)
 */
export const recordPaymentSuccess = async (
  store: EventStore,
  data: RecordSuccess['data'],
  context: FactContext,
): Promise<Recorded> => {
  authorize(context.principal, 'payment.record_success');
  assertPlausible(data.succeeded_at, context.now);
  return record(store, { type: 'RecordSuccess', data }, data.succeeded_at, context);
};

/**
 * The PSP's report of a failure may come in several parts, of which only a later one tells that it retries by itself,
 * or does not any more.
 * Nothing new when the payment knows it.
 */
export const announcePspRetries = async (
  store: EventStore,
  data: AnnouncePspRetries['data'],
  context: FactContext,
): Promise<Position> => {
  authorize(context.principal, 'payment.record_failure');
  const paymentId = paymentIdOf(context.principal.orgId, data.transaction_ref);
  const commandId = deriveId('AnnouncePspRetries', paymentId, data.trigger_id, data.next_at ?? 'over');
  const command = { type: 'AnnouncePspRetries', data } as const;
  const stream = paymentStream(paymentId);
  return (await handle(store, paymentDecider, stream, command, { ...context, commandId })).position;
};

/** The trigger of a fact that its sender did not name: the same facts are the same trigger. */
export const triggerOf = (facts: object): string => deriveId('facts', canonicalJson(facts));
