import type { CommandContext } from '../commands/context.js';
import type { Principal } from '../kernel/principal.js';
import type { Dependencies } from './dependencies.js';
import type { Origin } from '../commands/user/member.js';
import type { RequestContext } from './requestContext.js';

interface Asked {
  readonly deps: Pick<Dependencies, 'clock' | 'newId'>;
  readonly request: RequestContext;
}

/** What the events of this request will say about where they came from. */
export const openContextOf = ({ deps, request }: Asked): Origin => ({
  commandId: deps.newId(),
  correlationId: request.requestId,
  causationId: request.requestId,
  requestId: request.requestId,
  ...(request.traceparent !== undefined && { traceparent: request.traceparent }),
  now: deps.clock.now().toISOString(),
});

export const commandContextOf = (asked: Asked & { readonly principal: Principal }): CommandContext => ({
  ...openContextOf(asked),
  principal: asked.principal,
});
