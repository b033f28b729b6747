import type { UserId } from '../../kernel/ids.js';
import { assertOwn, authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { invalidCredentials } from './decide.js';
import { asUser, handleUser, loadUser, storeCredential, type UserResult } from './member.js';
import type { IdentityDeps } from './ports.js';

export interface ChangePasswordInput {
  readonly current: string;
  readonly next: string;
}

/**
 * A user changes their own password; every token given out before is void.
 * @throws DomainError `invalid_credentials` when the current one is wrong
 */
export const changePassword = async (
  deps: IdentityDeps,
  { current, next }: ChangePasswordInput,
  context: CommandContext,
): Promise<UserResult> => {
  const { principal } = context;
  authorize(principal, 'user.change_password');
  const userId = principal.actor.id as UserId;
  const user = asUser(userId, (await loadUser(deps.store, userId)).state);
  assertOwn(principal, user.orgId, 'user');
  const hash = (await deps.vault.get(user.credentialId, principal.orgId)) ?? deps.hasher.decoy;
  if (!(await deps.hasher.verify(current, hash))) throw invalidCredentials();
  const credentialId = await storeCredential(deps, next, principal.orgId, context.commandId);
  const command = { type: 'ChangePassword', data: { credentialId, verified: user.credentialId } } as const;
  const { state, position } = await handleUser(deps, userId, command, context);
  return { user: asUser(userId, state), position };
};
