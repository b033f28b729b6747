import type { EventStore } from '../../events/eventStore.js';
import type { OrgId } from '../../kernel/ids.js';
import type { MailAddress } from '../../kernel/ports.js';
import type { OrganizationReader } from '../organization/organizationReader.js';
import { isHeld } from '../organization/state.js';
import { loadUser } from './member.js';

/** A mail server takes a hundred addresses at least (RFC 5321); nobody has so many admins. */
const MAX_ADDRESSES = 50;

export type AdminsReader = (orgId: OrgId) => Promise<readonly MailAddress[]>;

/** The addresses of an organization's active admins, in the order in which they became it. */
export const adminsReader =
  (store: EventStore, organizationOf: OrganizationReader): AdminsReader =>
  async (orgId) => {
    const organization = await organizationOf(orgId);
    const admins = isHeld(organization) ? organization.admins.slice(0, MAX_ADDRESSES) : [];
    const users = await Promise.all(admins.map((id) => loadUser(store, id)));
    return users.flatMap(({ state: user }) => {
      if (user.status !== 'registered' || !user.isActive || user.role !== 'admin') return [];
      return [{ address: user.email, ...(user.fullName !== undefined && { name: user.fullName }) }];
    });
  };
