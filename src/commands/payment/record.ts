import type { EventStore } from '../../events/eventStore.js';
import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import {
  deriveId,
  eventIdOf,
  type PaymentId,
  paymentIdOf,
  type RecoveryId,
  recoveryIdOf,
} from '../../kernel/ids.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { absent, handle } from '../handle.js';
import { paymentDecider, type RecordFailure, type RecordSuccess } from './decide.js';

/** Without the caller's own command id: a fact's trigger names its command, so the same fact twice is one event. */
export type FactContext = Omit<CommandContext, 'commandId'>;

export interface Recorded {
  readonly paymentId: PaymentId;
  readonly recoveryId: RecoveryId;
  /** The event that holds the fact, also when it was recorded before. */
  readonly eventId: string;
  readonly position: Position;
}

const record = async (
  store: EventStore,
  command: RecordFailure | RecordSuccess,
  context: FactContext,
): Promise<Recorded> => {
  const paymentId = paymentIdOf(context.principal.orgId, command.data.transaction_ref);
  const commandId = deriveId(command.type, paymentId, command.data.trigger_id);
  const options = command.type === 'RecordFailure' ? { from: absent(paymentDecider) } : {};
  const stream = paymentStream(paymentId);
  const { position } = await handle(
    store,
    paymentDecider,
    stream,
    command,
    { ...context, commandId },
    options,
  );
  return { paymentId, recoveryId: recoveryIdOf(paymentId), eventId: eventIdOf(commandId, 0), position };
};

/** @throws DomainError `forbidden`, `amount_mismatch` (the reference names a payment of another amount or currency) */
export const recordPaymentFailure = async (
  store: EventStore,
  data: RecordFailure['data'],
  context: FactContext,
): Promise<Recorded> => {
  authorize(context.principal, 'payment.record_failure');
  return record(store, { type: 'RecordFailure', data }, context);
};

/** @throws DomainError `forbidden`, `amount_required` (the payment is not known and no amount was given) */
export const recordPaymentSuccess = async (
  store: EventStore,
  data: RecordSuccess['data'],
  context: FactContext,
): Promise<Recorded> => {
  authorize(context.principal, 'payment.record_success');
  return record(store, { type: 'RecordSuccess', data }, context);
};

/** The trigger of a fact that its sender did not name: the same facts are the same trigger. */
export const triggerOf = (facts: object): string => deriveId('facts', canonical(facts));

/** JSON with sorted keys, so that the order in which a client writes its fields does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
