import type { EventStore } from '../../events/eventStore.js';
import { organizationStream } from '../../events/organization.js';
import type { OrgId } from '../../kernel/ids.js';
import { load, type Loaded } from '../handle.js';
import { organizationDecider } from './decide.js';
import type { OrganizationState } from './state.js';

const MAX_ORGANIZATIONS = 10_000;

export type OrganizationReader = (orgId: OrgId) => Promise<OrganizationState>;

/**
 * Organizations as they are now. What was read before is kept, and only what came after it is read: as fresh as the
 * stream, without folding it again for every charge, mail and page.
 */
export const organizationReader = (store: EventStore): OrganizationReader => {
  const known = new Map<OrgId, Loaded<OrganizationState>>();
  return async (orgId) => {
    const loaded = await load(store, organizationDecider, organizationStream(orgId), known.get(orgId));
    if (known.size >= MAX_ORGANIZATIONS) known.clear();
    known.set(orgId, loaded);
    return loaded.state;
  };
};
