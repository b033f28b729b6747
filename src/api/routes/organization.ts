import { load } from '../../commands/handle.js';
import { connectPsp, setRetryPolicy } from '../../commands/organization/commands.js';
import { organizationDecider } from '../../commands/organization/decide.js';
import { activePolicy, isHeld, noOrganization } from '../../commands/organization/state.js';
import { organizationStream, type PspProvider } from '../../events/organization.js';
import type { OrgId } from '../../kernel/ids.js';
import { roles } from '../../kernel/principal.js';
import { retryPolicies } from '../../projections/retryPolicies/projection.js';
import { getActivePolicy } from '../../projections/retryPolicies/queries.js';
import { commandContextOf } from '../commandContext.js';
import type { Dependencies } from '../dependencies.js';
import { versionIn } from '../ifMatch.js';
import { ok, type Route, route } from '../route.js';
import {
  PspConnectionBody,
  PspConnectionResponse,
  RetryPolicyBody,
  RetryPolicyResponse,
} from '../schemas/organization.js';
import { invalid } from '../validation.js';

const tag = 'Organization';

const builtIn = { ...activePolicy(noOrganization), set_at: null };

/** Which PSPs are connected; whether a secret is set, never what it is. Read from the stream: true at once. */
const connections = async (store: Dependencies['store'], orgId: OrgId) => {
  const { state } = await load(store, organizationDecider, organizationStream(orgId));
  const psps = Object.entries(isHeld(state) ? state.psps : {});
  return {
    connections: psps.map(([provider, connection]) => ({
      provider: provider as PspProvider,
      api_key_set: connection.secretReference !== undefined,
      webhook_secret_set: connection.webhookSecretReference !== undefined,
    })),
  };
};

export const organizationRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/retry/policies/active',
    operationId: 'activeRetryPolicy',
    tag,
    summary: 'The retry policy that holds for new recoveries',
    access: roles,
    reads: retryPolicies.table.name,
    responses: { 200: { description: 'The policy', schema: RetryPolicyResponse } },
    handler: async ({ deps, principal: { orgId } }) => {
      const row = await getActivePolicy(deps.db, { orgId });
      return ok(row === undefined ? builtIn : { ...row.policy, set_at: row.set_at });
    },
  }),
  route({
    method: 'put',
    path: '/v1/retry/policies/active',
    operationId: 'setRetryPolicy',
    tag,
    summary: 'Set the retry policy',
    description: 'Every change is a new version; recoveries under way keep theirs.',
    access: ['admin'],
    body: RetryPolicyBody,
    conditional: true,
    responses: { 200: { description: 'The policy in force', schema: RetryPolicyResponse } },
    refusals: ['not_found', 'version_conflict'],
    handler: async (context) => {
      const { deps, body, headers } = context;
      const { policy, setAt, position } = await setRetryPolicy(
        deps.store,
        body,
        commandContextOf(context),
        versionIn(headers),
      );
      return ok({ ...policy, set_at: setAt }, position);
    },
  }),
  route({
    method: 'get',
    path: '/v1/psp/connection',
    operationId: 'pspConnection',
    tag,
    summary: 'The connected payment service providers',
    access: ['admin', 'auditor'],
    responses: { 200: { description: 'Connections, without their secrets', schema: PspConnectionResponse } },
    handler: async ({ deps, principal }) => ok(await connections(deps.store, principal.orgId)),
  }),
  route({
    method: 'put',
    path: '/v1/psp/connection',
    operationId: 'connectPsp',
    tag,
    summary: 'Connect a payment service provider',
    description: 'Secrets are kept encrypted and never shown again. A secret left out stays as it is.',
    access: ['admin'],
    body: PspConnectionBody,
    responses: { 200: { description: 'Connected', schema: PspConnectionResponse } },
    refusals: ['not_found', 'version_conflict'],
    handler: async (context) => {
      const { deps, principal, body } = context;
      if (body.provider === 'sandbox' && deps.environment === 'production')
        throw invalid('/provider', 'must not be the sandbox in production: nobody would be charged');
      const { provider, api_key: apiKey, webhook_secret: webhookSecret } = body;
      const secrets = { ...(apiKey && { apiKey }), ...(webhookSecret && { webhookSecret }) };
      const { position } = await connectPsp(deps, { provider, ...secrets }, commandContextOf(context));
      return ok(await connections(deps.store, principal.orgId), position);
    },
  }),
];
