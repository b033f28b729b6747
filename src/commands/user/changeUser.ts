/**
 * Whether a user is an active admin is said in their own stream; how many active admins an organization has, in its
 * stream. Two appends, killed or overtaken anywhere, must never let the organization count one who is none (it could
 * then lose its last). So:
 *
 *   leaving   1. organization  AdminRevoked{user_version: v}, refused for the last one
 *             2. user          the change, only from token version v
 *   entering  1. user          the change, to token version w
 *             2. organization  AdminGranted{user_version: w}, void when a revocation of w or later is there
 *
 * A user can leave adminship only from a version that was revoked before, and every grant of that version or an older
 * one is void from then on; so whoever the organization counts is an active admin at that instant. Killed in between,
 * the organization counts one too few, and the same change again completes it. To bring back a user whose version is
 * revoked but who never left, the role is recorded once more, which makes a new version.
 */
import { DomainError, isDomainError } from '../../kernel/errors.js';
import type { Position } from '../../events/envelope.js';
import type { UserId } from '../../kernel/ids.js';
import type { Role } from '../../kernel/principal.js';
import { assertOwn, authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { isFenced, type OrganizationCommand, type RevokeAdmin } from '../organization/decide.js';
import type { UserCommand } from './decide.js';
import {
  asUser,
  handleOrganization,
  handleUser,
  later,
  loadOrganization,
  loadUser,
  step,
  type User,
  type UserResult,
} from './member.js';
import { counts } from './membership.js';
import type { IdentityDeps } from './ports.js';

export interface ChangeUserInput {
  readonly userId: string;
  readonly role?: Role;
  readonly isActive?: boolean;
}

const ROUNDS = 4;

interface Change {
  readonly deps: IdentityDeps;
  readonly context: CommandContext;
  readonly before: User;
  readonly role: Role;
  readonly isActive: boolean;
}

const isAdmin = ({ role, isActive }: Pick<User, 'role' | 'isActive'>): boolean =>
  role === 'admin' && isActive;

/** Every member of the principal's organization; anybody else looks unknown. */
const findMember = async (
  { store }: IdentityDeps,
  { userId }: ChangeUserInput,
  { principal }: CommandContext,
): Promise<{ before: User; position: Position; fenced: boolean; counted: boolean }> => {
  const { state, position } = await loadUser(store, userId);
  const before = asUser(userId as UserId, state);
  assertOwn(principal, before.orgId, 'user');
  const { state: organization } = await loadOrganization(store, before.orgId);
  if (organization.status !== 'active' || !counts(userId, before, organization))
    throw new DomainError('not_found', 'no such user');
  return {
    before,
    position,
    fenced: isFenced(organization, { userId, userVersion: before.tokenVersion }),
    counted: organization.admins.includes(userId),
  };
};

/**
 * The commands that bring the user from what they are to what they shall be. Deactivated first and reactivated last,
 * so that no state between them is an active admin.
 */
const commandsOf = ({ before, role, isActive }: Change, renew: boolean): readonly UserCommand[] => {
  const version = before.tokenVersion;
  const leaves = before.isActive && !isActive;
  const changeRole = (expectedVersion: number): UserCommand => ({
    type: 'ChangeRole',
    data: { role, expectedVersion, renew },
  });
  const hasRole = role === before.role && !renew;
  const roleChange = hasRole ? [] : [changeRole(leaves ? version + 1 : version)];
  const expectedVersion = version + (leaves ? 0 : roleChange.length);
  if (leaves) return [{ type: 'Deactivate', data: { expectedVersion } }, ...roleChange];
  return isActive && !before.isActive
    ? [...roleChange, { type: 'Reactivate', data: { expectedVersion } }]
    : roleChange;
};

/** One round. @throws DomainError `version_conflict` when the user was changed by others in the meantime */
const applyChange = async (change: Change, renew: boolean, position: Position): Promise<UserResult> => {
  const { deps, context, before } = change;
  const adminship = (user: User): RevokeAdmin['data'] => ({
    userId: user.id,
    userVersion: user.tokenVersion,
  });
  const organization = (command: OrganizationCommand) =>
    handleOrganization(deps, before.orgId, command, context);
  let last = position;
  let user = before;
  if (isAdmin(before) && !isAdmin(change))
    last = later(last, await organization({ type: 'RevokeAdmin', data: adminship(before) }));
  for (const command of commandsOf(change, renew)) {
    const handled = await handleUser(deps, before.id, command, context);
    user = asUser(before.id, handled.state);
    last = later(last, handled);
  }
  if (isAdmin(user)) last = later(last, await organization({ type: 'GrantAdmin', data: adminship(user) }));
  return { user, position: last };
};

/** @throws DomainError `forbidden`, `not_found`, `last_admin`, `version_conflict` */
export const changeUser = async (
  deps: IdentityDeps,
  input: ChangeUserInput,
  context: CommandContext,
): Promise<UserResult> => {
  authorize(context.principal, 'user.change');
  for (let round = 1; ; round++) {
    const { before, position, fenced, counted } = await findMember(deps, input, context);
    const role = input.role ?? before.role;
    const isActive = input.isActive ?? before.isActive;
    const change = { deps, context: step(context, `round ${round}`), before, role, isActive };
    const renew = isAdmin(before) && isAdmin(change) && fenced && !counted;
    try {
      return await applyChange(change, renew, position);
    } catch (error) {
      if (round === ROUNDS || !isDomainError(error) || error.code !== 'version_conflict') throw error;
    }
  }
};
