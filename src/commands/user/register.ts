/**
 * Registration touches two streams, in an order that can stop anywhere:
 *
 *   0. vault         the password's hash, under an id derived from the command
 *   1. organization  OrganizationRegistered{founder_id}   the claim of the slug
 *   2. user          UserRegistered                       the claim of the address, bearing the first claim's instant
 *   3. organization  AdminGranted{founder}                the confirmation: from here on nothing is ever released
 *
 * The streams are the locks: each append is decided from the revision it extends, so each step has one winner, and
 * only the process whose append confirms answers with success.
 *
 * - A founder counts only while the organization is held under the very claim they registered with (membership.ts).
 *   Claims only move forward, so one who does not count now never will: an orphan, released when met. Login and
 *   sessions ask the same, so an orphan can never act in an organization that somebody else holds.
 * - Stopped after 1: the same address takes the claim up again. Anybody else may displace it when its founder counts
 *   elsewhere, or after ten minutes when no founder came.
 * - Stopped after 2: the same registration (address, slug and password) goes on to 3, and so does the first login.
 *   After ten minutes somebody else who wants the slug confirms on the founder's behalf, and is refused.
 * - The address turns out to be taken at 2: the claim of 1 is released again.
 */
import { isBefore, MINUTE, plus } from '../../kernel/clock.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import { orgIdOf, type OrgId, type UserId, userIdOf } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import type { Claim, OrganizationState } from '../organization/state.js';
import {
  asOrganization,
  asUser,
  handleOrganization,
  handleUser,
  loadOrganization,
  loadUser,
  type MemberResult,
  type Origin,
  step,
  storeCredential,
} from './member.js';
import { emailTaken } from './decide.js';
import { counts } from './membership.js';
import type { IdentityDeps } from './ports.js';
import type { RegisteredUser } from './state.js';

export interface RegisterInput {
  readonly email: string;
  readonly password: string;
  readonly fullName?: string;
  readonly orgName: string;
  readonly orgSlug: string;
}

interface Attempt {
  readonly deps: IdentityDeps;
  readonly input: RegisterInput;
  readonly userId: UserId;
  readonly orgId: OrgId;
  readonly context: CommandContext;
}

const FOUNDER_MAY_TAKE = 10 * MINUTE;
const ROUNDS = 4;

const slugTaken = (): DomainError => new DomainError('slug_taken', 'an organization of this slug exists');

const claimOf = (userId: string, { registeredAt }: RegisteredUser): Claim => ({
  founderId: userId,
  registeredAt,
});

/** Another organization's context: its events carry its own id. */
const inOrganization = (context: CommandContext, orgId: string): CommandContext => ({
  ...context,
  principal: { ...context.principal, orgId: orgId as OrgId },
});

const bySystem = (context: CommandContext): CommandContext => ({
  ...context,
  principal: { actor: { type: 'system', id: 'registration' }, orgId: context.principal.orgId },
});

/**
 * Releases a registration that no longer counts; whoever met it, the organization it names is not theirs to act in.
 * Also used where users are invited.
 */
export const releaseOrphan = (
  deps: IdentityDeps,
  userId: string,
  { registrationId, orgId }: RegisteredUser,
  context: CommandContext,
): Promise<unknown> =>
  handleUser(
    deps,
    userId,
    { type: 'ReleaseUser', data: { registrationId, reason: 'organization_lost' } },
    step(bySystem(inOrganization(context, orgId)), registrationId),
  );

type Address =
  | { readonly status: 'free' | 'taken' }
  /** The founder came, the confirmation did not. */
  | { readonly status: 'unconfirmed'; readonly user: RegisteredUser };

/** Whether the address can be registered; what stands in its way without counting is released. */
const examineAddress = async ({ deps, userId, orgId, context }: Attempt): Promise<Address> => {
  const { state: user } = await loadUser(deps.store, userId);
  if (user.status !== 'registered') return { status: 'free' };
  const { state: organization } = await loadOrganization(deps.store, user.orgId);
  if (!counts(userId, user, organization)) {
    await releaseOrphan(deps, userId, user, context);
    return { status: 'free' };
  }
  const unconfirmed =
    user.invitedBy === undefined && user.orgId === orgId && organization.status === 'claimed';
  return unconfirmed ? { status: 'unconfirmed', user } : { status: 'taken' };
};

/** The claim to displace, if it is abandoned. */
const abandonedClaim = async (
  { deps, userId, orgId, context }: Attempt,
  organization: OrganizationState,
): Promise<Claim | undefined> => {
  if (organization.status !== 'claimed' || organization.founderId === userId) return undefined;
  const { founderId, registeredAt } = organization;
  const claim = { founderId, registeredAt };
  const isOld = !isBefore(context.now, plus(registeredAt, FOUNDER_MAY_TAKE));
  const { state: founder } = await loadUser(deps.store, founderId);
  if (founder.status === 'registered') {
    const own = founder.orgId === orgId;
    const theirs = own ? organization : (await loadOrganization(deps.store, founder.orgId)).state;
    if (counts(founderId, founder, theirs)) {
      if (own && isOld) await confirm(deps, orgId, founderId, founder, bySystem(context));
      return own ? undefined : claim;
    }
  }
  return isOld ? claim : undefined;
};

const claimOrganization = async (attempt: Attempt): Promise<Claim> => {
  const { deps, input, userId, orgId, context } = attempt;
  const { state } = await loadOrganization(deps.store, orgId);
  const displaces = await abandonedClaim(attempt, state);
  const data = { name: input.orgName, slug: input.orgSlug, founderId: userId, at: context.now };
  const command = {
    type: 'RegisterOrganization',
    data: { ...data, ...(displaces && { displaces }) },
  } as const;
  const { state: claimed } = await handleOrganization(deps, orgId, command, context);
  if (claimed.status !== 'claimed') throw slugTaken();
  return { founderId: userId, registeredAt: claimed.registeredAt };
};

const giveUp = ({ deps, orgId, context }: Attempt, claim: Claim): Promise<unknown> => {
  const data = { ...claim, reason: 'email_taken' };
  return handleOrganization(deps, orgId, { type: 'ReleaseOrganization', data }, context);
};

const hasPassword = async ({ deps, input }: Attempt, user: RegisteredUser): Promise<boolean> => {
  const hash = await deps.vault.get(user.credentialId, user.orgId as OrgId);
  return hash !== undefined && deps.hasher.verify(input.password, hash);
};

/** Step 2. Answers the user who now holds the address under this claim. */
const registerFounder = async (
  attempt: Attempt,
  claim: Claim,
  credentialId: string,
): Promise<RegisteredUser> => {
  const { deps, input, userId, orgId, context } = attempt;
  for (let round = 0; round < ROUNDS; round++) {
    const address = await examineAddress(attempt);
    if (address.status === 'taken') {
      await giveUp(attempt, claim);
      throw emailTaken();
    }
    if (address.status === 'unconfirmed') {
      const { user } = address;
      if (user.registrationId === credentialId || (await hasPassword(attempt, user))) return user;
      throw emailTaken();
    }
    const data = {
      orgId,
      email: input.email,
      ...(input.fullName !== undefined && { fullName: input.fullName }),
      role: 'admin',
      credentialId,
      registeredAt: claim.registeredAt,
    } as const;
    try {
      const { state } = await handleUser(deps, userId, { type: 'RegisterUser', data }, context);
      return asUser(userId, state);
    } catch (error) {
      // Somebody else took the address since it was examined: look again.
      if (!isDomainError(error) || error.code !== 'email_taken') throw error;
    }
  }
  throw new DomainError('version_conflict', 'the address is being registered by others; try again');
};

/** Step 3: appends nothing when somebody else confirmed before. @throws DomainError `slug_taken` when the claim was lost */
export const confirm = (
  deps: Pick<IdentityDeps, 'store'>,
  orgId: OrgId,
  userId: string,
  user: RegisteredUser,
  context: CommandContext,
) =>
  handleOrganization(
    deps,
    orgId,
    { type: 'ConfirmFounder', data: { ...claimOf(userId, user), userVersion: user.tokenVersion } },
    context,
  );

/** Before the costly hash: what is taken for good needs none. */
const refuseAtOnce = async (attempt: Attempt): Promise<void> => {
  if ((await examineAddress(attempt)).status === 'taken') throw emailTaken();
  const { state } = await loadOrganization(attempt.deps.store, attempt.orgId);
  if (state.status === 'active') throw slugTaken();
};

/** @throws DomainError `email_taken`, `slug_taken`, `too_busy` */
export const registerOrganization = async (
  deps: IdentityDeps,
  input: RegisterInput,
  origin: Origin,
): Promise<MemberResult> => {
  const userId = userIdOf(input.email, deps.identityKey);
  const orgId = orgIdOf(input.orgSlug);
  const principal = { actor: { type: 'user', id: userId }, orgId, role: 'admin' } as const;
  const attempt: Attempt = { deps, input, userId, orgId, context: { ...origin, principal } };

  await refuseAtOnce(attempt);
  const credentialId = await storeCredential(deps, input.password, orgId, origin.commandId);
  const claim = await claimOrganization(attempt);
  const user = await registerFounder(attempt, claim, credentialId);
  try {
    const confirmed = await confirm(deps, orgId, userId, user, attempt.context);
    if (confirmed.events.length === 0) throw emailTaken();
    const organization = asOrganization(orgId, confirmed.state);
    return { user: { ...user, id: userId }, organization, position: confirmed.position };
  } catch (error) {
    if (isDomainError(error) && error.code === 'slug_taken')
      await releaseOrphan(deps, userId, user, attempt.context);
    throw error;
  }
};
