import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { organizationStream, type PspProvider, type RetryPolicy } from '../../events/organization.js';
import type { Instant } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { Vault } from '../../kernel/ports.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle, load } from '../handle.js';
import { organizationDecider, type RetryPolicyValues } from './decide.js';
import { activePolicy, isHeld, type PspConnection } from './state.js';

/**
 * Sets the principal's organization's retry policy; the same values again change nothing.
 * @param expectedVersion of the policy the change was made from; undefined when any will do
 */
export const setRetryPolicy = async (
  store: EventStore,
  policy: RetryPolicyValues,
  context: CommandContext,
  expectedVersion?: number,
): Promise<{ readonly policy: RetryPolicy; readonly setAt: Instant; readonly position: Position }> => {
  const { principal, now: at } = context;
  authorize(principal, 'organization.set_retry_policy');
  const command = { type: 'SetRetryPolicy', data: { policy, expectedVersion, at } } as const;
  const stream = organizationStream(principal.orgId);
  const { state, position } = await handle(store, organizationDecider, stream, command, context);
  return { policy: activePolicy(state), setAt: (isHeld(state) && state.policySetAt) || at, position };
};

export interface PspSecrets {
  readonly apiKey?: string;
  readonly webhookSecret?: string;
}
export interface PspDeps {
  readonly store: EventStore;
  readonly vault: Vault;
}

/** What an organization connected its PSPs with: the vault's ids of their secrets. */
export const pspConnectionsOf = async (
  store: EventStore,
  orgId: OrgId,
): Promise<Readonly<Partial<Record<PspProvider, PspConnection>>>> => {
  const { state } = await load(store, organizationDecider, organizationStream(orgId));
  return state.status === 'active' ? state.psps : {};
};

/** The secrets of a PSP, or undefined when the organization did not connect it. */
export const pspSecretsOf = async (
  { store, vault }: PspDeps,
  orgId: OrgId,
  provider: PspProvider,
): Promise<PspSecrets | undefined> => {
  const connection = (await pspConnectionsOf(store, orgId))[provider];
  if (!connection) return undefined;
  const { secretReference, webhookSecretReference } = connection;
  const apiKey = secretReference && (await vault.get(secretReference, orgId));
  const webhookSecret = webhookSecretReference && (await vault.get(webhookSecretReference, orgId));
  return { ...(apiKey !== undefined && { apiKey }), ...(webhookSecret !== undefined && { webhookSecret }) };
};

/** The reference of a new secret; undefined when none is given, or the one that is there already. */
const referenceTo = async (
  vault: Vault,
  orgId: OrgId,
  secret: string | undefined,
  present: string | undefined,
  newId: string,
): Promise<string | undefined> => {
  if (secret === undefined) return undefined;
  if (present !== undefined && (await vault.get(present, orgId)) === secret) return undefined;
  await vault.put(newId, orgId, secret);
  return newId;
};

/** Connects a PSP; a secret not given is kept, and the same secrets again change nothing. */
export const connectPsp = async (
  { store, vault }: PspDeps,
  { provider, apiKey, webhookSecret }: PspSecrets & { readonly provider: PspProvider },
  context: CommandContext,
): Promise<{ readonly position: Position }> => {
  const { principal, commandId, now: at } = context;
  authorize(principal, 'organization.connect_psp');
  const { orgId } = principal;
  const present = (await pspConnectionsOf(store, orgId))[provider];
  const reference = (secret: string | undefined, old: string | undefined, name: string) =>
    referenceTo(vault, orgId, secret, old, deriveId(commandId, name));
  const [secret, webhook] = await Promise.all([
    reference(apiKey, present?.secretReference, 'api_key'),
    reference(webhookSecret, present?.webhookSecretReference, 'webhook_secret'),
  ]);
  const data = {
    provider,
    at,
    ...(secret !== undefined && { secretReference: secret }),
    ...(webhook !== undefined && { webhookSecretReference: webhook }),
  };
  const command = { type: 'ConnectPsp', data } as const;
  return handle(store, organizationDecider, organizationStream(orgId), command, context);
};

/** The policy that holds for an organization now. @throws DomainError `not_found` */
export const retryPolicyOf = async (store: EventStore, orgId: OrgId): Promise<RetryPolicy> => {
  const { state } = await load(store, organizationDecider, organizationStream(orgId));
  if (!isHeld(state)) throw new DomainError('not_found', 'no such organization');
  return activePolicy(state);
};

/** The place of the claim under which the organization is held now: what its slug's earlier holders left lies before. */
export const claimPositionOf = async (store: EventStore, orgId: OrgId): Promise<Position> => {
  let position = 0n;
  for await (const page of store.readStream(organizationStream(orgId)))
    for (const event of page) if (event.type === 'OrganizationRegistered') position = event.position;
  return position;
};
