import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { recoveryStream } from '../../events/recovery.js';
import type { RecoveryId } from '../../kernel/ids.js';
import { assertOwn, authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle } from '../handle.js';
import { recoveryDecider } from './decide.js';

/**
 * Stops a recovery for good; what is in flight still gets its outcome recorded.
 * @throws DomainError `forbidden`, `not_found`, `recovery_closed` (it ended in another way)
 */
export const cancelRecovery = async (
  store: EventStore,
  recoveryId: RecoveryId,
  reason: string,
  context: CommandContext,
): Promise<Position> => {
  const { principal } = context;
  authorize(principal, 'recovery.cancel');
  const command = { type: 'CancelRecovery', data: { reason, by: principal.actor.id } } as const;
  const { position } = await handle(store, recoveryDecider, recoveryStream(recoveryId), command, context, {
    guard: ({ orgId }) => assertOwn(principal, orgId, 'recovery'),
  });
  return position;
};
