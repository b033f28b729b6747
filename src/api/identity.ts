import type { CommandContext } from '../commands/context.js';
import type { RetryPolicyValues } from '../commands/organization/decide.js';
import type { Position } from '../events/envelope.js';
import type { PspProvider, RetryPolicy } from '../events/organization.js';
import type { OrgId, UserId } from '../kernel/ids.js';
import type { Role } from '../kernel/principal.js';
import type { UserPrincipal } from './auth/ports.js';

export interface UserView {
  readonly id: string;
  readonly email: string;
  readonly full_name: string | null;
  readonly role: Role;
  readonly is_active: boolean;
  readonly org_id: string;
}

export interface OrganizationView {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly is_active: boolean;
}

export interface LoggedIn {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly user: UserView;
  readonly organization: OrganizationView;
  readonly position: Position;
}

/** A request's facts where there is no principal yet. */
export type OpenContext = Omit<CommandContext, 'principal'>;

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly full_name?: string;
  readonly org_name: string;
  readonly org_slug: string;
}

export interface PspSecrets {
  readonly provider: PspProvider;
  readonly api_key?: string;
  readonly webhook_secret?: string;
}

/** Registration, login, user and organization management: commands on the write side, passwords and tokens included. */
export interface Identity {
  register(registration: Registration, context: OpenContext): Promise<LoggedIn>;
  login(credentials: { email: string; password: string }, context: OpenContext): Promise<LoggedIn>;
  changePassword(
    passwords: { current_password: string; new_password: string },
    context: CommandContext,
  ): Promise<Position>;
  createUser(
    user: { email: string; password: string; full_name?: string; role: Role },
    context: CommandContext,
  ): Promise<{ user: UserView; position: Position }>;
  changeUser(
    id: UserId,
    change: { role?: Role; is_active?: boolean },
    context: CommandContext,
  ): Promise<{ user: UserView; position: Position }>;
  setRetryPolicy(
    policy: RetryPolicyValues,
    context: CommandContext,
  ): Promise<{ policy: RetryPolicy; position: Position }>;
  connectPsp(connection: PspSecrets, context: CommandContext): Promise<Position>;
  /** Read from the streams, so that it is true at once after a write. */
  me(principal: UserPrincipal): Promise<UserView>;
  organization(orgId: OrgId): Promise<OrganizationView>;
}
