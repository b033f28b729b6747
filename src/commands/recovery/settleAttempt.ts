import type { Position } from '../../events/envelope.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, type RecoveryId } from '../../kernel/ids.js';
import type { Failure } from '../../kernel/ports.js';
import { assertOwn, authorize } from '../authorize.js';
import { handle, load } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';
import type { FactContext } from '../payment/record.js';
import { recoveryDecider } from './decide.js';
import { type GuidanceSources, readGuidance } from './readGuidance.js';
import { declinedBy, withBrand } from './settle.js';
import { settleSlot, slotOutcomeOf } from './slot.js';

export interface DeclinedAttempt {
  readonly recoveryId: RecoveryId;
  readonly attempt: number;
  readonly failure: Failure;
  readonly triggerId: string;
}

/**
 * The PSP reports by webhook that an attempt of ours was declined: the outcome of an attempt that is still open
 * (an asynchronous method, an answer that was lost), nothing new otherwise.
 */
export const settleDeclinedAttempt = async (
  sources: GuidanceSources,
  { recoveryId, attempt, failure, triggerId }: DeclinedAttempt,
  context: FactContext,
): Promise<Position> => {
  const { store } = sources;
  const { principal, now } = context;
  authorize(principal, 'payment.record_failure');
  const stream = recoveryStream(recoveryId);
  const loaded = await load(store, recoveryDecider, stream);
  assertOwn(principal, loaded.orgId, 'recovery');
  const known = loaded.state;
  if (known.status === 'none' || known.open?.attempt !== attempt) return loaded.position;
  const payment = await load(store, paymentDecider, paymentStream(known.paymentId));
  const outcome = declinedBy(withBrand(failure, known.open, payment.state), now);
  const full = { ...context, commandId: deriveId('settle', recoveryId, triggerId) };
  const slot = slotOutcomeOf(outcome);
  const { credentialId } = known.open;
  const counted =
    slot === undefined || credentialId === undefined
      ? undefined
      : await settleSlot(store, credentialId, { recoveryId, attempt }, slot, full);
  const guidance = await readGuidance(sources, principal.orgId, payment, now, counted);
  const command = { type: 'SettleRetry', data: { attempt, outcome, triggerId, guidance, now } } as const;
  return (await handle(store, recoveryDecider, stream, command, full, { from: loaded })).position;
};
