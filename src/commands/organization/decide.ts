import type { OrganizationEvent, PspProvider, RetryPolicy } from '../../events/organization.js';
import type { Instant } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import { canonicalJson } from '../../kernel/json.js';
import type { Message } from '../../kernel/message.js';
import { policyFaults } from './policyFaults.js';
import {
  type Claim,
  evolve,
  type HeldOrganization,
  holdsClaim,
  isHeld,
  noOrganization,
  type OrganizationState,
  type PspConnection,
} from './state.js';

export type RegisterOrganization = Message<
  'RegisterOrganization',
  {
    readonly name: string;
    readonly slug: string;
    readonly founderId: string;
    readonly at: Instant;
    /** A claim found abandoned, which this one may replace. */
    readonly displaces?: Claim;
  }
>;
export type ReleaseOrganization = Message<'ReleaseOrganization', Claim & { readonly reason: string }>;
export type ConfirmFounder = Message<'ConfirmFounder', Claim & { readonly userVersion: number }>;
interface Adminship {
  readonly userId: string;
  /** The token version of the user at which they are, or cease to be, an active admin. */
  readonly userVersion: number;
}
export type GrantAdmin = Message<'GrantAdmin', Adminship>;
export type RevokeAdmin = Message<'RevokeAdmin', Adminship>;
export type RetryPolicyValues = Omit<RetryPolicy, 'version'>;
export type SetRetryPolicy = Message<
  'SetRetryPolicy',
  {
    readonly policy: RetryPolicyValues;
    /** The version the change was made from; another one refuses it. */
    readonly expectedVersion?: number | undefined;
    readonly at: Instant;
  }
>;
/** Names only the secrets that are new. */
export type ConnectPsp = Message<
  'ConnectPsp',
  PspConnection & { readonly provider: PspProvider; readonly at: Instant }
>;
export type OrganizationCommand =
  | RegisterOrganization
  | ReleaseOrganization
  | ConfirmFounder
  | GrantAdmin
  | RevokeAdmin
  | SetRetryPolicy
  | ConnectPsp;

type Decided = readonly OrganizationEvent[];

const activeOnly = (state: OrganizationState): HeldOrganization => {
  if (state.status !== 'active') throw new DomainError('not_found', 'no such organization');
  return state;
};

const register = ({ data }: RegisterOrganization, state: OrganizationState): Decided => {
  const registered: OrganizationEvent = {
    type: 'OrganizationRegistered',
    data: { name: data.name, slug: data.slug, founder_id: data.founderId, registered_at: data.at },
  };
  if (state.status === 'absent' || state.status === 'released') return [registered];
  if (state.status === 'claimed') {
    if (state.founderId === data.founderId) return [];
    if (data.displaces && holdsClaim(state, data.displaces))
      return [{ type: 'OrganizationReleased', data: { reason: 'founder_never_came' } }, registered];
  }
  throw new DomainError('slug_taken', 'an organization of this slug exists');
};

const release = ({ data }: ReleaseOrganization, state: OrganizationState): Decided =>
  state.status === 'claimed' && holdsClaim(state, data)
    ? [{ type: 'OrganizationReleased', data: { reason: data.reason } }]
    : [];

const granted = (userId: string, userVersion: number): OrganizationEvent => ({
  type: 'AdminGranted',
  data: { user_id: userId, user_version: userVersion },
});

const confirmFounder = ({ data }: ConfirmFounder, state: OrganizationState): Decided => {
  if (!holdsClaim(state, data)) throw new DomainError('slug_taken', 'an organization of this slug exists');
  return state.status === 'active' ? [] : [granted(data.founderId, data.userVersion)];
};

/** Is a grant of this version void, because the user was already on the way out at it? */
export const isFenced = (state: OrganizationState, { userId, userVersion }: Adminship): boolean =>
  isHeld(state) && (state.fences[userId] ?? -1) >= userVersion;

const grantAdmin = ({ data }: GrantAdmin, state: OrganizationState): Decided => {
  const { admins } = activeOnly(state);
  return admins.includes(data.userId) || isFenced(state, data)
    ? []
    : [granted(data.userId, data.userVersion)];
};

const revokeAdmin = ({ data }: RevokeAdmin, state: OrganizationState): Decided => {
  const { admins } = activeOnly(state);
  const isAdmin = admins.includes(data.userId);
  if (isAdmin && admins.length === 1)
    throw new DomainError('last_admin', 'an organization keeps at least one active admin');
  if (!isAdmin && isFenced(state, data)) return [];
  return [{ type: 'AdminRevoked', data: { user_id: data.userId, user_version: data.userVersion } }];
};

/** In whatever order channels and fields are named. */
const wordingOf = ({ enabled_channels, ...others }: RetryPolicyValues): string =>
  canonicalJson({ ...others, enabled_channels: [...enabled_channels].sort() });

const setRetryPolicy = ({ data }: SetRetryPolicy, state: OrganizationState): Decided => {
  const { policy: current } = activeOnly(state);
  const faults = policyFaults(data.policy, data.at);
  if (faults.length > 0)
    throw new DomainError('validation_failed', 'The policy would not hold together', faults);
  const { version = 0, ...values } = current ?? {};
  if (current && wordingOf(values as RetryPolicyValues) === wordingOf(data.policy)) return [];
  if (data.expectedVersion !== undefined && data.expectedVersion !== version)
    throw new DomainError('version_mismatch', `the policy is at version ${version} by now`);
  return [{ type: 'RetryPolicySet', data: { ...data.policy, version: version + 1, set_at: data.at } }];
};

/** What the command does not name stays as it is, also when somebody else has just set it. */
const connectPsp = ({ data }: ConnectPsp, state: OrganizationState): Decided => {
  const { provider, at, ...given } = data;
  const current = activeOnly(state).psps[provider];
  const { secretReference, webhookSecretReference } = { ...current, ...given };
  if (
    current &&
    current.secretReference === secretReference &&
    current.webhookSecretReference === webhookSecretReference
  )
    return [];
  return [
    {
      type: 'PspConnected',
      data: {
        provider,
        ...(secretReference !== undefined && { secret_reference: secretReference }),
        ...(webhookSecretReference !== undefined && { webhook_secret_reference: webhookSecretReference }),
        connected_at: at,
      },
    },
  ];
};

const decide = (command: OrganizationCommand, state: OrganizationState): Decided => {
  switch (command.type) {
    case 'RegisterOrganization':
      return register(command, state);
    case 'ReleaseOrganization':
      return release(command, state);
    case 'ConfirmFounder':
      return confirmFounder(command, state);
    case 'GrantAdmin':
      return grantAdmin(command, state);
    case 'RevokeAdmin':
      return revokeAdmin(command, state);
    case 'SetRetryPolicy':
      return setRetryPolicy(command, state);
    case 'ConnectPsp':
      return connectPsp(command, state);
    default:
      return command satisfies never;
  }
};

export const organizationDecider: Decider<OrganizationState, OrganizationCommand, OrganizationEvent> = {
  initialState: noOrganization,
  evolve,
  decide,
};
