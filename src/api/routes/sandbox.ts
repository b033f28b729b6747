import { Type } from 'typebox';
import { recordPaymentSuccess } from '../../commands/payment/record.js';
import { commandContextOf } from '../commandContext.js';
import type { Dependencies, SandboxCheckout, SandboxSession } from '../dependencies.js';
import { notFoundPage } from '../pages/customerPages.js';
import { sandboxCheckoutPage } from '../pages/sandboxPages.js';
import type { RequestContext } from '../requestContext.js';
import { html, type Reply, type Route, route } from '../route.js';
import { closed, enumOf } from '../schemas/common.js';

const params = closed({
  session: Type.String({ pattern: '^[A-Za-z0-9_-]{1,200}$', description: 'a session' }),
});
const body = closed({ choice: enumOf(['pay', 'decline']) });

const show = (session: SandboxSession, state: SandboxSession['status'], declined = false): Reply => {
  const { id, amount, currency, transaction_ref: transactionRef } = session;
  return html(sandboxCheckoutPage({ session: id, amount, currency, transactionRef, state, declined }));
};

/**
 * The sandbox PSP has no webhooks: that a checkout was paid is recorded here, or when the page is looked at again, or
 * when the recovery asks for it.
 */
const recordPaid = (
  deps: Dependencies,
  request: RequestContext,
  session: SandboxSession,
  reference: string,
) => {
  const principal = { actor: { type: 'psp', id: 'sandbox' }, orgId: session.org_id } as const;
  const context = commandContextOf({ deps, request, principal });
  const { transaction_ref, amount, currency } = session;
  const paid = { source: 'link', trigger_id: reference, succeeded_at: context.now } as const;
  return recordPaymentSuccess(deps.store, { transaction_ref, amount, currency, ...paid }, context);
};

/** The checkout page of the sandbox PSP. */
export const sandboxRoutes = (sandbox: SandboxCheckout): readonly Route[] => [
  route({
    method: 'get',
    path: '/sandbox/checkout/{session}',
    operationId: 'sandboxCheckout',
    tag: 'Sandbox',
    summary: "The sandbox PSP's checkout page",
    access: 'public',
    params,
    hidden: true,
    responses: { 200: { description: 'The page' }, 404: { description: 'Unknown' } },
    handler: async (context) => {
      const session = await sandbox.session(context.params.session);
      if (session === undefined) return html(notFoundPage(), 404);
      const { deps, request } = context;
      if (session.reference !== undefined) await recordPaid(deps, request, session, session.reference);
      return show(session, session.status);
    },
  }),
  route({
    method: 'post',
    path: '/sandbox/checkout/{session}',
    operationId: 'completeSandboxCheckout',
    tag: 'Sandbox',
    summary: 'Plays what the customer does on the checkout page',
    access: 'public',
    params,
    body,
    consumes: 'form',
    hidden: true,
    responses: {
      200: { description: 'The page' },
      303: { description: 'Paid' },
      404: { description: 'Unknown' },
    },
    handler: async ({ deps, request, params: { session: id }, body: { choice } }) => {
      const result = await sandbox.completeCheckout(id, choice);
      if (result === undefined) return html(notFoundPage(), 404);
      if (result.status !== 'paid') {
        const declined = result.status === 'declined';
        return show(result.session, declined ? 'open' : 'expired', declined);
      }
      deps.faults('checkout:after-payment');
      const { position } = await recordPaid(deps, request, result.session, result.reference);
      return { status: 303, headers: { Location: result.session.return_url }, position };
    },
  }),
];
