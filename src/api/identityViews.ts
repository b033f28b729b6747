import type { Organization, User } from '../commands/user/member.js';
import type { UserRow } from '../projections/users/projection.js';

/** A user as the API shows them, from the stream. */
export const userView = ({ id, email, fullName, role, isActive, orgId }: User) => ({
  id,
  email,
  full_name: fullName ?? null,
  role,
  is_active: isActive,
  org_id: orgId,
});

/** The same from the read model. */
export const userRowView = ({ key, email, full_name, role, is_active, org_id }: UserRow) => ({
  id: key,
  email,
  full_name,
  role,
  is_active,
  org_id,
});

export const organizationView = ({ id, name, slug, status }: Organization) => ({
  id,
  name,
  slug,
  is_active: status === 'active',
});
