import type { EventBus } from '../events/eventBus.js';
import type { PublicMessage } from '../events/integration/message.js';
import {
  followFailure,
  followRecovery,
  followSuccess,
  type FollowDependencies,
} from '../commands/recovery/followPayment.js';
import type { CommandContext } from '../commands/context.js';
import type { Clock } from '../kernel/clock.js';
import type { Faults } from '../kernel/faults.js';
import type { OrgId } from '../kernel/ids.js';

export interface SagaHandlerDependencies extends FollowDependencies {
  readonly clock: Clock;
  readonly faults: Faults;
}

export interface SagaDependencies extends SagaHandlerDependencies {
  readonly bus: EventBus;
}

const CONCURRENCY = 16;

const contextOf = (message: PublicMessage, clock: Clock): Omit<CommandContext, 'commandId'> => ({
  principal: { actor: { type: 'system', id: 'recovery-saga' }, orgId: message.org_id as OrgId },
  correlationId: message.correlation_id,
  causationId: message.id,
  ...(message.request_id !== undefined && { requestId: message.request_id }),
  now: clock.now().toISOString(),
});

const follow = (deps: SagaHandlerDependencies, message: PublicMessage): Promise<void> => {
  const context = contextOf(message, deps.clock);
  switch (message.type) {
    case 'payment.failed':
      return followFailure(deps, message, context);
    case 'payment.succeeded':
      return followSuccess(deps, message, context);
    case 'recovery.succeeded':
      return followRecovery(deps, message, context);
    default:
      return message satisfies never;
  }
};

export const SAGA_GROUP = 'recovery-saga';

/** What the saga does with a message. */
export const sagaHandler =
  (deps: SagaHandlerDependencies) =>
  async (message: PublicMessage): Promise<void> => {
    deps.faults('saga:before-command');
    await follow(deps, message);
    deps.faults('saga:after-command');
  };

/** The process manager's ear: public messages in, commands on recoveries out. Runs until the signal aborts. */
export const runSaga = (deps: SagaDependencies, signal: AbortSignal): Promise<void> =>
  deps.bus.consume({
    group: SAGA_GROUP,
    types: ['payment.failed', 'payment.succeeded', 'recovery.succeeded'],
    concurrency: CONCURRENCY,
    signal,
    handle: sagaHandler(deps),
  });
