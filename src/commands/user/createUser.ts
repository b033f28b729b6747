import { userIdOf } from '../../kernel/ids.js';
import type { Role } from '../../kernel/principal.js';
import { assertOwn, authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import {
  asUser,
  handleOrganization,
  handleUser,
  later,
  loadOrganization,
  loadUser,
  storeCredential,
  type UserResult,
} from './member.js';
import { emailTaken } from './decide.js';
import { counts } from './membership.js';
import type { IdentityDeps } from './ports.js';
import { releaseOrphan } from './register.js';

export interface CreateUserInput {
  readonly email: string;
  readonly password: string;
  readonly fullName?: string;
  readonly role: Role;
}

const refuseTaken = async (deps: IdentityDeps, userId: string, context: CommandContext): Promise<void> => {
  const { state: user } = await loadUser(deps.store, userId);
  if (user.status !== 'registered') return;
  const { state: organization } = await loadOrganization(deps.store, user.orgId);
  if (counts(userId, user, organization)) throw emailTaken();
  await releaseOrphan(deps, userId, user, context);
};

/**
 * An admin makes a user of the same organization. An admin is granted last (changeUser.ts says why); killed before
 * that, setting the role again completes it.
 * @throws DomainError `forbidden`, `email_taken`, `too_busy`
 */
export const createUser = async (
  deps: IdentityDeps,
  input: CreateUserInput,
  context: CommandContext,
): Promise<UserResult> => {
  const { principal } = context;
  authorize(principal, 'user.create');
  const { state: organization } = await loadOrganization(deps.store, principal.orgId);
  assertOwn(principal, organization.status === 'active' ? principal.orgId : undefined, 'organization');
  const userId = userIdOf(input.email, deps.identityKey);
  await refuseTaken(deps, userId, context);
  const credentialId = await storeCredential(deps, input.password, principal.orgId, context.commandId);
  const data = {
    orgId: principal.orgId,
    email: input.email,
    ...(input.fullName !== undefined && { fullName: input.fullName }),
    role: input.role,
    credentialId,
    registeredAt: context.now,
    invitedBy: principal.actor.id,
  };
  const { state, position } = await handleUser(deps, userId, { type: 'RegisterUser', data }, context);
  const user = asUser(userId, state);
  if (input.role !== 'admin') return { user, position };
  const grant = { type: 'GrantAdmin', data: { userId, userVersion: user.tokenVersion } } as const;
  const granted = await handleOrganization(deps, principal.orgId, grant, context);
  return { user, position: later(position, granted) };
};
