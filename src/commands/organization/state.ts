import type { OrganizationEvent, PspProvider, RetryPolicy } from '../../events/organization.js';
import { builtInPolicy } from './builtInPolicy.js';

import type { Instant } from '../../kernel/clock.js';

/** What a registration took: this organization, for this founder, at this instant. It never comes again. */
export interface Claim {
  readonly founderId: string;
  readonly registeredAt: Instant;
}

export interface PspConnection {
  readonly secretReference?: string;
  readonly webhookSecretReference?: string;
}

interface Held extends Claim {
  readonly name: string;
  readonly slug: string;
  /** Each of them is an active admin in their own stream, at any instant (user/changeUser.ts says why). */
  readonly admins: readonly string[];
  /** User → the newest version of theirs at which adminship was revoked: a late grant of an older one is void. */
  readonly fences: Readonly<Record<string, number>>;
  readonly policy?: RetryPolicy;
  readonly policySetAt?: Instant;
  readonly psps: Readonly<Partial<Record<PspProvider, PspConnection>>>;
}

/**
 * absent · claimed (registered, its founder not yet confirmed) · active (confirmed: never released again) ·
 * released (given up while claimed; free for another).
 */
export type OrganizationState =
  { readonly status: 'absent' | 'released' } | (Held & { readonly status: 'claimed' | 'active' });
export type HeldOrganization = Extract<OrganizationState, Held>;

export const noOrganization: OrganizationState = { status: 'absent' };

export const isHeld = (state: OrganizationState): state is HeldOrganization =>
  state.status === 'claimed' || state.status === 'active';

export const holdsClaim = (state: OrganizationState, claim: Claim): state is HeldOrganization =>
  isHeld(state) && state.founderId === claim.founderId && state.registeredAt === claim.registeredAt;

/** The policy that holds now: the newest one set, else the built-in one, version 0. */
export const activePolicy = (state: OrganizationState): RetryPolicy =>
  (isHeld(state) ? state.policy : undefined) ?? builtInPolicy;

const whenHeld = (
  state: OrganizationState,
  change: (held: HeldOrganization) => Partial<HeldOrganization>,
): OrganizationState => (isHeld(state) ? { ...state, ...change(state) } : state);

export const evolve = (state: OrganizationState, event: OrganizationEvent): OrganizationState => {
  switch (event.type) {
    case 'OrganizationRegistered': {
      const { name, slug, founder_id: founderId, registered_at: registeredAt } = event.data;
      return { status: 'claimed', name, slug, founderId, registeredAt, admins: [], fences: {}, psps: {} };
    }
    case 'OrganizationReleased':
      return { status: 'released' };
    case 'AdminGranted':
      return whenHeld(state, ({ admins }) => ({
        status: 'active',
        admins: [...admins.filter((id) => id !== event.data.user_id), event.data.user_id],
      }));
    case 'AdminRevoked': {
      const { user_id: userId, user_version: version = -1 } = event.data;
      return whenHeld(state, ({ admins, fences }) => ({
        admins: admins.filter((id) => id !== userId),
        fences: { ...fences, [userId]: Math.max(version, fences[userId] ?? -1) },
      }));
    }
    case 'RetryPolicySet': {
      const { set_at: policySetAt, ...policy } = event.data;
      return whenHeld(state, () => ({ policy, policySetAt }));
    }
    case 'PspConnected': {
      const { provider, secret_reference: secret, webhook_secret_reference: webhook } = event.data;
      const connection: PspConnection = {
        ...(secret !== undefined && { secretReference: secret }),
        ...(webhook !== undefined && { webhookSecretReference: webhook }),
      };
      return whenHeld(state, ({ psps }) => ({ psps: { ...psps, [provider]: connection } }));
    }
    default:
      event satisfies never;
      return state;
  }
};
