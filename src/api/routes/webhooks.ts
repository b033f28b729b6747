import { Type } from 'typebox';
import { pspSecretsOf } from '../../commands/organization/commands.js';
import {
  type FactContext,
  recordPaymentFailure,
  recordPaymentSuccess,
} from '../../commands/payment/record.js';
import type { Position } from '../../events/envelope.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import { settleDeclinedAttempt } from '../../commands/recovery/settleAttempt.js';
import type { OrgId, RecoveryId } from '../../kernel/ids.js';
import { inspect } from '../body/guards.js';
import { commandContextOf } from '../commandContext.js';
import type { Dependencies } from '../dependencies.js';
import { ok, type Route, route } from '../route.js';
import { closed, named, Uuid } from '../schemas/common.js';
import { refuseFaults } from '../validation.js';
import { type StripeFact, stripeEventToFacts } from '../webhooks/stripeEvents.js';
import { verifyStripeSignature } from '../webhooks/stripeSignature.js';

const ReceivedSchema = named('Received', { received: Type.Boolean() });

/** Of the sandbox too, which speaks Stripe's events. An organization that is unknown or has no endpoint secret is told like a wrong signature. */
const webhookSecretOf = async (deps: Dependencies, orgId: OrgId): Promise<string> => {
  for (const provider of ['stripe', 'sandbox'] as const) {
    const secrets = await pspSecretsOf(deps, orgId, provider);
    if (secrets?.webhookSecret !== undefined) return secrets.webhookSecret;
  }
  throw new DomainError('signature_invalid', 'The Stripe-Signature header does not match the body');
};

const record = (deps: Dependencies, fact: StripeFact, context: FactContext) => {
  const { occurred_at, own_attempt: _, kind, ...common } = fact;
  if (kind === 'succeeded') {
    const { transaction_ref, amount, currency, trigger_id, source } = common as typeof fact;
    const data = { transaction_ref, amount, currency, trigger_id, source, succeeded_at: occurred_at };
    return recordPaymentSuccess(deps.store, data, context);
  }
  const data = {
    ...(common as Omit<typeof fact, 'occurred_at' | 'own_attempt' | 'kind'>),
    failed_at: occurred_at,
  };
  return recordPaymentFailure(deps.store, data, context);
};

/** What cannot be taken now cannot be taken later either: sent again it would be refused again. */
const FINAL: readonly string[] = ['amount_mismatch', 'not_found'];

/** The decline of a charge of ours settles that attempt; everything else is a fact of the payment. */
const take = async (
  deps: Dependencies,
  fact: StripeFact,
  context: FactContext,
): Promise<Position | undefined> => {
  if (fact.kind === 'succeeded' || fact.own_attempt === undefined)
    return (await record(deps, fact, context)).position;
  const { own_attempt, failure, trigger_id: triggerId } = fact;
  const recoveryId = own_attempt.recoveryId as RecoveryId;
  const { attempt } = own_attempt;
  return settleDeclinedAttempt(deps.store, { recoveryId, attempt, failure, triggerId }, context);
};

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

const recordFacts = async (
  deps: Dependencies,
  facts: readonly StripeFact[],
  context: FactContext,
): Promise<Position | undefined> => {
  let last: Position | undefined;
  for (const fact of facts) {
    refuseFaults(inspect(fact));
    last = (await takeOrNote(deps, fact, context)) ?? last;
  }
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
    responses: { 200: { description: 'Taken in', schema: ReceivedSchema } },
    refusals: ['signature_invalid', 'not_parsable', 'payload_too_large'],
    handler: async (context) => {
      const { deps, params, headers } = context;
      const orgId = params.org_id as OrgId;
      const secret = await webhookSecretOf(deps, orgId);
      const signature = headers['stripe-signature'] as string | undefined;
      const event = verifyStripeSignature(context.body as Buffer, signature, secret, deps.clock.now());
      const complete = (await deps.completeStripeEvent?.(orgId, event)) ?? event;
      const principal = { actor: { type: 'psp', id: 'stripe' }, orgId } as const;
      const command = commandContextOf({ deps, request: context.request, principal });
      return ok({ received: true }, await recordFacts(deps, stripeEventToFacts(complete), command));
    },
  }),
];
