import { holdsClaim, type OrganizationState } from '../organization/state.js';
import type { RegisteredUser } from './state.js';

/**
 * Does this registration count as a member of the organization it names? An invited user does: an admin made them.
 * A founder does only while the organization is held under the very claim they registered with. Claims only move
 * forward, so a registration that does not count now never will: it is an orphan, safe to release.
 */
export const counts = (userId: string, user: RegisteredUser, organization: OrganizationState): boolean =>
  user.invitedBy !== undefined ||
  holdsClaim(organization, { founderId: userId, registeredAt: user.registeredAt });
