import type { OrgId, UserId } from '../../kernel/ids.js';
import type { Principal, Role } from '../../kernel/principal.js';

/** A logged-in user: the only source of the organization that a request sees. */
export interface UserPrincipal extends Principal {
  readonly userId: UserId;
  readonly orgId: OrgId;
  readonly role: Role;
}

/**
 * From a bearer token to the user it stands for, as the user is now: verifies the signature and the session.
 * @throws DomainError `invalid_token`
 */
export type Authenticator = (token: string) => Promise<UserPrincipal>;
