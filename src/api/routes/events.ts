import type { Static } from 'typebox';
import { recordPaymentFailure, recordPaymentSuccess, triggerOf } from '../../commands/payment/record.js';
import { tellPspRetries } from '../../commands/recovery/tellPspRetries.js';
import { commandContextOf } from '../commandContext.js';
import { claimKey } from '../idempotency.js';
import { type Route, route } from '../route.js';
import { PaymentFailedBody, PaymentSucceededBody, RecordedSchema } from '../schemas/payments.js';
import { failureFacts, recorded, successFacts } from './facts.js';

const tag = 'Payments';

/** One that tells when it happened is the same whatever else it tells of the PSP's own retries. */
const nameOf = ({ psp_retries, ...failure }: Static<typeof PaymentFailedBody>) =>
  failure.occurred_at === undefined && psp_retries !== undefined ? { ...failure, psp_retries } : failure;

export const eventRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/events/payment_failed',
    operationId: 'paymentFailed',
    tag,
    summary: 'Report a failed payment',
    description:
      'The same facts again are the same event. Another failure of a known transaction_ref is a further failure of ' +
      'the same payment.',
    access: ['admin', 'user'],
    body: PaymentFailedBody,
    idempotent: true,
    responses: { 202: { description: 'Taken in', schema: RecordedSchema } },
    refusals: ['amount_mismatch', 'idempotency_key_reused', 'too_many_failures', 'version_conflict'],
    handler: async (context) => {
      const { deps, principal, body, headers } = context;
      const request = { route: 'payment_failed', body };
      await claimKey(deps.idempotencyKeys, principal.orgId, headers['idempotency-key'], request);
      const command = commandContextOf(context);
      const facts = failureFacts(body, triggerOf(nameOf(body)), command.now);
      const done = await recordPaymentFailure(deps.store, facts, command);
      const position = (await tellPspRetries(deps, facts, command)) ?? done.position;
      return recorded(202, { ...done, position });
    },
  }),
  route({
    method: 'post',
    path: '/v1/events/payment_succeeded',
    operationId: 'paymentSucceeded',
    tag,
    summary: 'Report that a payment came in after all',
    description:
      'Closes its recovery. Amount and currency go together and may be left out when the payment is known. Another ' +
      'amount than the one that failed is taken as what came in.',
    access: ['admin', 'user'],
    body: PaymentSucceededBody,
    idempotent: true,
    responses: { 202: { description: 'Taken in', schema: RecordedSchema } },
    refusals: ['amount_mismatch', 'amount_required', 'idempotency_key_reused', 'version_conflict'],
    handler: async (context) => {
      const { deps, principal, body, headers } = context;
      const request = { route: 'payment_succeeded', body };
      await claimKey(deps.idempotencyKeys, principal.orgId, headers['idempotency-key'], request);
      const command = commandContextOf(context);
      const facts = successFacts(body, triggerOf(body), command.now);
      return recorded(202, await recordPaymentSuccess(deps.store, facts, command));
    },
  }),
];
