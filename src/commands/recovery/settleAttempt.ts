import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, type RecoveryId } from '../../kernel/ids.js';
import type { Failure } from '../../kernel/ports.js';
import { assertOwn, authorize } from '../authorize.js';
import { handle } from '../handle.js';
import type { FactContext } from '../payment/record.js';
import { classify } from './classification/classify.js';
import { recoveryDecider } from './decide.js';

/**
 * The PSP reports by webhook that an attempt of ours was declined: the outcome of an attempt that is still open
 * (an asynchronous method, an answer that was lost), nothing new otherwise.
 */
export const settleDeclinedAttempt = async (
  store: EventStore,
  {
    recoveryId,
    attempt,
    failure,
    triggerId,
  }: { recoveryId: RecoveryId; attempt: number; failure: Failure; triggerId: string },
  context: FactContext,
): Promise<Position> => {
  const { principal, now } = context;
  authorize(principal, 'payment.record_failure');
  const outcome = { status: 'declined', failure, classification: classify(failure, now) } as const;
  const command = { type: 'SettleRetry', data: { attempt, outcome, triggerId, now } } as const;
  const commandId = deriveId('settle', recoveryId, triggerId);
  const { position } = await handle(
    store,
    recoveryDecider,
    recoveryStream(recoveryId),
    command,
    { ...context, commandId },
    {
      guard: ({ orgId }) => assertOwn(principal, orgId, 'recovery'),
    },
  );
  return position;
};
