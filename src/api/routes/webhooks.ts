import { Type } from 'typebox';
import { pspConnectionsOf } from '../../commands/organization/commands.js';
import {
  type FactContext,
  recordPaymentFailure,
  recordPaymentSuccess,
} from '../../commands/payment/record.js';
import type { Position } from '../../events/envelope.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import { attributionOf } from '../../commands/recovery/attribution.js';
import { settleDeclinedAttempt } from '../../commands/recovery/settleAttempt.js';
import { tellPspRetries } from '../../commands/recovery/tellPspRetries.js';
import type { OrgId, RecoveryId } from '../../kernel/ids.js';
import type { Json } from '../../kernel/json.js';
import { inspect, withoutFaults } from '../body/guards.js';
import { commandContextOf } from '../commandContext.js';
import type { Dependencies } from '../dependencies.js';
import { ok, type Route, route } from '../route.js';
import { closed, named, Uuid } from '../schemas/common.js';
import { refuseFaults } from '../validation.js';
import {
  type StripeFact,
  type StripeFailure,
  type StripeSuccess,
  stripeEventToFacts,
} from '../webhooks/stripeEvents.js';
import { verifyStripeSignature } from '../webhooks/stripeSignature.js';

const ReceivedSchema = named('Received', { received: Type.Boolean() });

type Connections = Awaited<ReturnType<typeof pspConnectionsOf>>;

/**
 * Checks the signature with the endpoint secret of each connected PSP: the sandbox speaks Stripe's events, too. An
 * organization that is unknown or has no endpoint secret is told like a wrong signature.
 */
const verified = async (
  { vault, clock }: Dependencies,
  { orgId, connections }: { readonly orgId: OrgId; readonly connections: Connections },
  body: Buffer,
  signature: string | undefined,
): Promise<Json> => {
  let refusal: unknown = new DomainError(
    'signature_invalid',
    'The Stripe-Signature header does not match the body',
  );
  for (const connection of [connections.stripe, connections.sandbox]) {
    const secretId = connection?.webhookSecretReference;
    const secret = secretId && (await vault.get(secretId, orgId));
    if (secret === undefined) continue;
    try {
      return verifyStripeSignature(body, signature, secret, clock.now());
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'signature_invalid') throw error;
      refusal = error;
    }
  }
  throw refusal;
};

const record = (deps: Dependencies, fact: StripeFact, context: FactContext) => {
  const { occurred_at, own_attempt: _, automatic: __, kind, ...common } = fact;
  if (kind === 'succeeded') {
    const { transaction_ref, amount, currency, trigger_id, source } = common as typeof fact;
    const data = { transaction_ref, amount, currency, trigger_id, source, succeeded_at: occurred_at };
    return recordPaymentSuccess(deps.store, data, context);
  }
  const data = {
    ...(common as Omit<typeof fact, 'occurred_at' | 'own_attempt' | 'automatic' | 'kind'>),
    failed_at: occurred_at,
  };
  return recordPaymentFailure(deps.store, data, context);
};

/** What cannot be taken now cannot be taken later either: sent again it would be refused again. */
const FINAL: readonly string[] = ['amount_mismatch', 'not_found', 'too_many_failures'];

/** What the fact does not tell by itself. */
const attributed = ({ store }: Dependencies, fact: StripeFact, { principal }: FactContext) =>
  attributionOf(store, principal.orgId, {
    transactionRef: fact.transaction_ref,
    triggerId: fact.trigger_id,
    references: fact.references,
    occurredAt: fact.occurred_at,
  });

const takeSuccess = async (deps: Dependencies, fact: StripeSuccess, context: FactContext) => {
  if (fact.own_attempt !== undefined) return (await record(deps, fact, context)).position;
  const { attempt, byLink } = await attributed(deps, fact, context);
  const ours = fact.automatic && attempt !== undefined;
  const source = ours ? 'our_retry' : byLink ? 'link' : fact.source;
  return (await record(deps, { ...fact, source }, context)).position;
};

/** The decline of a charge of ours settles that attempt; every other is a fact of the payment. */
const takeFailure = async (deps: Dependencies, fact: StripeFailure, context: FactContext) => {
  const { failure, trigger_id: triggerId } = fact;
  const settle = ({ recoveryId, attempt }: { recoveryId: string; attempt: number }) => {
    const settled = { recoveryId: recoveryId as RecoveryId, attempt, failure, triggerId };
    return settleDeclinedAttempt(deps, settled, context);
  };
  if (fact.own_attempt !== undefined) return settle(fact.own_attempt);
  if (fact.automatic) {
    const { attempt, known } = await attributed(deps, fact, context);
    if (known) return tellPspRetries(deps, fact, context);
    if (attempt !== undefined) return settle(attempt);
  }
  const { position } = await record(deps, fact, context);
  return (await tellPspRetries(deps, fact, context)) ?? position;
};

const take = (deps: Dependencies, fact: StripeFact, context: FactContext): Promise<Position | undefined> =>
  fact.kind === 'succeeded' ? takeSuccess(deps, fact, context) : takeFailure(deps, fact, context);

/** A part payment, or a charge by a key that is not in this log, is not ours to settle: it is noted and done. */
const takeOrNote = async (
  deps: Dependencies,
  fact: StripeFact,
  context: FactContext,
): Promise<Position | undefined> => {
  try {
    return await take(deps, fact, context);
  } catch (error) {
    if (!isDomainError(error) || !FINAL.includes(error.code)) throw error;
    const { requestId: request_id } = context;
    deps.logger.warn(
      { request_id, org_id: context.principal.orgId, code: error.code },
      'webhook fact ignored',
    );
    return undefined;
  }
};

/**
 * A fact without the notes that may not be stored: for them alone it must not be lost. Without its reference it would
 * be a fact of no payment.
 */
const storable = (
  deps: Dependencies,
  fact: StripeFact,
  eventId: unknown,
  context: FactContext,
): StripeFact => {
  const faults = inspect(fact);
  if (faults.length === 0) return fact;
  const rest = withoutFaults(fact);
  const refused = rest.transaction_ref === undefined;
  const pointers = faults.map(({ pointer }) => pointer);
  const fields = {
    request_id: context.requestId,
    org_id: context.principal.orgId,
    event_id: eventId,
    pointers,
  };
  deps.logger.warn(fields, refused ? 'webhook fact refused' : 'webhook fact taken without some of its notes');
  if (refused) refuseFaults(faults);
  return rest as StripeFact;
};

const recordFacts = async (
  deps: Dependencies,
  event: Json,
  context: FactContext,
): Promise<Position | undefined> => {
  let last: Position | undefined;
  for (const fact of stripeEventToFacts(event, context.principal.orgId))
    last = (await takeOrNote(deps, storable(deps, fact, event['id'], context), context)) ?? last;
  return last;
};

export const webhookRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/webhooks/stripe/{org_id}',
    operationId: 'stripeWebhook',
    tag: 'Payments',
    summary: 'Takes signed events from Stripe',
    description: "Signed with the organization's endpoint secret. The same event again changes nothing.",
    access: 'public',
    params: closed({ org_id: Uuid }),
    consumes: 'raw',
    headers: { 'Stripe-Signature': "Stripe's signature of the body, at most five minutes old" },
    responses: { 200: { description: 'Taken in', schema: ReceivedSchema } },
    refusals: ['signature_invalid', 'not_parsable', 'payload_too_large'],
    handler: async (context) => {
      const { deps, params, headers } = context;
      const orgId = params.org_id as OrgId;
      const connections = await pspConnectionsOf(deps.store, orgId);
      const signature = headers['stripe-signature'] as string | undefined;
      const event = await verified(deps, { orgId, connections }, context.body as Buffer, signature);
      const { secretReference } = connections.stripe ?? {};
      const apiKey = async () => secretReference && (await deps.vault.get(secretReference, orgId));
      const complete = (await deps.completeStripeEvent?.(event, apiKey)) ?? event;
      const principal = { actor: { type: 'psp', id: 'stripe' }, orgId } as const;
      const command = commandContextOf({ deps, request: context.request, principal });
      return ok({ received: true }, await recordFacts(deps, complete, command));
    },
  }),
];
