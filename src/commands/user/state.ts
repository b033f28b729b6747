import type { UserEvent } from '../../events/user.js';
import type { Instant } from '../../kernel/clock.js';
import type { Role } from '../../kernel/principal.js';

export interface RegisteredUser {
  readonly status: 'registered';
  /** Raised by whatever must invalidate the tokens given out before; never falls, also over a release. */
  readonly tokenVersion: number;
  readonly orgId: string;
  readonly email: string;
  readonly fullName?: string;
  readonly role: Role;
  /** Vault id of the current password hash. */
  readonly credentialId: string;
  /** Names this registration: the credential it came with. */
  readonly registrationId: string;
  readonly registeredAt: Instant;
  /** Absent for a founder. */
  readonly invitedBy?: string;
  readonly isActive: boolean;
  readonly lastLoginAt?: Instant;
  /** Failures recorded since the last login. */
  readonly failedLogins: number;
  readonly lastFailureAt?: Instant;
}

/** absent · registered · released (the organization of the registration was lost; the address is free again). */
export type UserState =
  { readonly status: 'absent' | 'released'; readonly tokenVersion: number } | RegisteredUser;

export const noUser: UserState = { status: 'absent', tokenVersion: 0 };

const whenRegistered = (
  state: UserState,
  change: (user: RegisteredUser) => Partial<RegisteredUser>,
): UserState => (state.status === 'registered' ? { ...state, ...change(state) } : state);

/** A change after which tokens given out before no longer hold. */
const invalidating = (state: UserState, change: Partial<RegisteredUser>): UserState =>
  whenRegistered(state, ({ tokenVersion }) => ({ ...change, tokenVersion: tokenVersion + 1 }));

const registered = (state: UserState, data: (UserEvent & { type: 'UserRegistered' })['data']): UserState => ({
  status: 'registered',
  tokenVersion: state.tokenVersion,
  orgId: data.org_id,
  email: data.email,
  ...(data.full_name !== undefined && { fullName: data.full_name }),
  role: data.role,
  credentialId: data.credential_id,
  registrationId: data.credential_id,
  registeredAt: data.registered_at,
  ...(data.invited_by !== undefined && { invitedBy: data.invited_by }),
  isActive: true,
  failedLogins: 0,
});

export const evolve = (state: UserState, event: UserEvent): UserState => {
  switch (event.type) {
    case 'UserRegistered':
      return registered(state, event.data);
    case 'UserReleased':
      return { status: 'released', tokenVersion: state.tokenVersion + 1 };
    case 'UserRoleChanged':
      return invalidating(state, { role: event.data.role });
    case 'UserDeactivated':
      return invalidating(state, { isActive: false });
    case 'UserReactivated':
      return invalidating(state, { isActive: true });
    case 'PasswordChanged':
      return invalidating(state, { credentialId: event.data.credential_id });
    case 'UserLoggedIn':
      return whenRegistered(state, () => ({ lastLoginAt: event.data.logged_in_at, failedLogins: 0 }));
    case 'LoginFailed':
      return whenRegistered(state, ({ failedLogins }) => ({
        failedLogins: failedLogins + 1,
        lastFailureAt: event.data.failed_at,
      }));
    default:
      event satisfies never;
      return state;
  }
};
