import { isDomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId, userIdOf } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import type { OrganizationState } from '../organization/state.js';
import { invalidCredentials } from './decide.js';
import {
  asOrganization,
  asUser,
  handleUser,
  loadOrganization,
  loadUser,
  type MemberResult,
  type Origin,
} from './member.js';
import { counts } from './membership.js';
import type { IdentityDeps } from './ports.js';
import { confirm } from './register.js';

export interface LoginInput {
  readonly email: string;
  readonly password: string;
}

/** Looked up in place of what an unknown address does not have, so that it costs the same steps. */
const NOBODY = deriveId('nobody');

/** Not awaited: an unknown address has no stream to write to, so a wrong password must not take longer for it. */
const recordFailure = (deps: IdentityDeps, userId: string, context: CommandContext): void => {
  const command = { type: 'RecordLoginFailure', data: { at: context.now } } as const;
  handleUser(deps, userId, command, context).catch((err: unknown) =>
    deps.logger.warn({ err, user_id: userId }, 'a failed login was not recorded'),
  );
};

/** A registration that stopped before its confirmation is completed by its founder's first login. */
const confirmByLogin = async (...args: Parameters<typeof confirm>): Promise<OrganizationState> => {
  try {
    return (await confirm(...args)).state;
  } catch (error) {
    if (isDomainError(error) && error.code === 'slug_taken') throw invalidCredentials();
    throw error;
  }
};

/**
 * Unknown address, wrong password, deactivated user and lost organization give the same answer in the same time:
 * always the same look-ups and exactly one comparison.
 * @throws DomainError `invalid_credentials`, `too_busy`
 */
export const login = async (
  deps: IdentityDeps,
  { email, password }: LoginInput,
  origin: Origin,
): Promise<MemberResult> => {
  const userId = userIdOf(email, deps.identityKey);
  const { state } = await loadUser(deps.store, userId);
  const user = state.status === 'registered' ? state : undefined;
  const orgId = (user?.orgId ?? NOBODY) as OrgId;
  const { state: organization } = await loadOrganization(deps.store, orgId);
  const hash = await deps.vault.get(user?.credentialId ?? NOBODY, orgId);
  const matches = await deps.hasher.verify(password, hash ?? deps.hasher.decoy);
  if (!user) throw invalidCredentials();

  const principal = { actor: { type: 'user', id: userId }, orgId, role: user.role } as const;
  const context = { ...origin, principal };
  if (!matches || !user.isActive || !counts(userId, user, organization)) {
    recordFailure(deps, userId, context);
    throw invalidCredentials();
  }
  const confirmed =
    organization.status === 'claimed'
      ? await confirmByLogin(deps, orgId, userId, user, context)
      : organization;
  const command = { type: 'RecordLogin', data: { at: origin.now, verified: user.credentialId } } as const;
  const recorded = await handleUser(deps, userId, command, context);
  return {
    user: asUser(userId, recorded.state),
    organization: asOrganization(orgId, confirmed),
    position: recorded.position,
  };
};
