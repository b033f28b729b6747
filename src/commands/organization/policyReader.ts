import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import type { RetryPolicy } from '../../events/organization.js';
import type { OrgId } from '../../kernel/ids.js';
import { retryPolicyOf } from './commands.js';

const MAX_ORGANIZATIONS = 10_000;

/**
 * Policies as they stood at a position of the log or later. One look serves every question up to the head at the time
 * of the look, so a backlog of failures costs two statements per organization, not two per failure.
 */
export const policyReader = (
  store: EventStore,
): ((orgId: OrgId, position: Position) => Promise<RetryPolicy>) => {
  const known = new Map<OrgId, { readonly asOf: Position; readonly policy: RetryPolicy }>();
  return async (orgId, position) => {
    const hit = known.get(orgId);
    if (hit !== undefined && hit.asOf >= position) return hit.policy;
    const asOf = await store.head(); // before the read: what the read sees is at least as new
    const policy = await retryPolicyOf(store, orgId);
    if (known.size >= MAX_ORGANIZATIONS) known.clear();
    known.set(orgId, { asOf, policy });
    return policy;
  };
};
