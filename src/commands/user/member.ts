import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { organizationStream } from '../../events/organization.js';
import { userStream } from '../../events/user.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId, type UserId } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { handle, load, type Loaded } from '../handle.js';
import { type OrganizationCommand, organizationDecider } from '../organization/decide.js';
import type { HeldOrganization, OrganizationState } from '../organization/state.js';
import { type UserCommand, userDecider } from './decide.js';
import type { IdentityDeps } from './ports.js';
import type { RegisteredUser, UserState } from './state.js';

/** Where a command comes from; who gives it is found out on the way. */
export type Origin = Omit<CommandContext, 'principal'>;

export type User = RegisteredUser & { readonly id: UserId };
export type Organization = HeldOrganization & { readonly id: OrgId };

/** A user as a command left them. */
export interface UserResult {
  readonly user: User;
  readonly position: Position;
}
export interface MemberResult extends UserResult {
  readonly organization: Organization;
}

export const loadUser = (store: EventStore, userId: string): Promise<Loaded<UserState>> =>
  load(store, userDecider, userStream(userId));

export const loadOrganization = (store: EventStore, orgId: string): Promise<Loaded<OrganizationState>> =>
  load(store, organizationDecider, organizationStream(orgId));

/** The context of one append among several of a command: its event ids must differ from the others'. */
export const step = (context: CommandContext, name: string): CommandContext => ({
  ...context,
  commandId: deriveId(context.commandId, name),
});

export const handleOrganization = (
  { store }: Pick<IdentityDeps, 'store'>,
  orgId: string,
  command: OrganizationCommand,
  context: CommandContext,
) => handle(store, organizationDecider, organizationStream(orgId), command, step(context, command.type));

/** Also when the append failed: it may have been written all the same. */
export const handleUser = async (
  { store, userChanged }: Pick<IdentityDeps, 'store' | 'userChanged'>,
  userId: string,
  command: UserCommand,
  context: CommandContext,
) => {
  try {
    return await handle(store, userDecider, userStream(userId), command, step(context, command.type));
  } finally {
    userChanged(userId);
  }
};

/** Where a reader must have got to, to see both. */
export const later = (position: Position, other: { readonly position: Position }): Position =>
  other.position > position ? other.position : position;

export const asUser = (id: UserId, state: UserState): User => {
  if (state.status !== 'registered') throw new DomainError('not_found', 'no such user');
  return { ...state, id };
};

export const asOrganization = (id: OrgId, state: OrganizationState): Organization => {
  if (state.status !== 'active') throw new DomainError('not_found', 'no such organization');
  return { ...state, id };
};

/** Stores the hash of a password under an id derived from the command; the same command again keeps the first. */
export const storeCredential = async (
  { hasher, vault }: Pick<IdentityDeps, 'hasher' | 'vault'>,
  password: string,
  orgId: OrgId,
  commandId: string,
): Promise<string> => {
  const credentialId = deriveId(commandId, 'credential');
  await vault.put(credentialId, orgId, await hasher.hash(password));
  return credentialId;
};
