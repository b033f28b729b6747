import { Type } from 'typebox';
import {
  type CustomerRequest,
  openCheckout,
  openRecoveryLink,
  type RecoveryPage,
} from '../../commands/recovery/customer.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import type { RecoveryId } from '../../kernel/ids.js';
import type { Dependencies } from '../dependencies.js';
import { errorPage, notFoundPage, paymentPage, pendingPage } from '../pages/customerPages.js';
import type { RequestContext } from '../requestContext.js';
import { html, type Reply, type Route, route } from '../route.js';
import { closed } from '../schemas/common.js';

const tag = "Customer's pages";

const params = closed({ token: Type.String({ minLength: 1, maxLength: 512 }) });

interface Asked {
  readonly deps: Dependencies;
  readonly request: RequestContext;
  readonly params: { token: string };
}

const states = { payable: 'open', paid: 'paid', closed: 'closed' } as const;

const customerRequest = ({ deps, request }: Asked): CustomerRequest => ({
  now: deps.clock.now().toISOString(),
  requestId: request.requestId,
});

const recoveryOf = ({ deps, params: { token } }: Asked): RecoveryId => {
  const link = deps.readLink(token, deps.clock.now());
  if (link === undefined) throw new DomainError('not_found', 'no such link');
  return link.recoveryId;
};

const show = (token: string, page: RecoveryPage, status: number, problem?: string): Reply => {
  const { merchantName, amount, currency } = page;
  const state = states[page.status];
  return html(
    paymentPage({ merchantName, amount, currency, token, state, ...(problem && { problem }) }),
    status,
  );
};

/** Customers get pages, also when something is wrong: what went wrong on our side is logged like any other fault. */
const withPages =
  (answer: (asked: Asked) => Promise<Reply>) =>
  async (asked: Asked): Promise<Reply> => {
    try {
      return await answer(asked);
    } catch (error) {
      if (isDomainError(error) && error.code === 'not_found') return html(notFoundPage(), 404);
      const { requestId, method, path } = asked.request;
      asked.deps.logger.error({ err: error, request_id: requestId, method, path }, 'request failed');
      asked.deps.onError?.(error, asked.request);
      return html(errorPage(), 503);
    }
  };

const openLink = async (asked: Asked): Promise<Reply> => {
  const page = await openRecoveryLink(asked.deps.store, recoveryOf(asked), customerRequest(asked));
  return show(asked.params.token, page, 200);
};

/** Where the checkout leads after paying: the PSP's word may still be under way. */
const returned = async (asked: Asked): Promise<Reply> => {
  const page = await openRecoveryLink(asked.deps.store, recoveryOf(asked), customerRequest(asked));
  return page.status === 'paid'
    ? show(asked.params.token, page, 200)
    : html(pendingPage(page.merchantName), 200);
};

const PROBLEMS: Readonly<Record<string, string>> = {
  attempt_in_flight:
    'This payment is being processed already. You need not do anything; please look again later.',
  recovery_closed: 'This payment has been closed.',
};

const pay = async (asked: Asked): Promise<Reply> => {
  const {
    deps,
    params: { token },
  } = asked;
  const recoveryId = recoveryOf(asked);
  const cancelUrl = `${deps.publicBaseUrl}/r/${encodeURIComponent(token)}`;
  const pages = { cancelUrl, successUrl: `${cancelUrl}/done` };
  try {
    const url = await openCheckout(deps, recoveryId, pages, customerRequest(asked));
    return { status: 303, headers: { Location: url ?? pages.successUrl, 'Cache-Control': 'no-store' } };
  } catch (error) {
    const problem = isDomainError(error) ? PROBLEMS[error.code] : undefined;
    if (problem === undefined) throw error;
    const page = await openRecoveryLink(deps.store, recoveryId, customerRequest(asked));
    return show(token, page, 409, problem);
  }
};

const otherwise = {
  404: { description: 'Unknown or expired; which of them is not told', type: 'text/html' },
  503: { description: 'Not possible at the moment', type: 'text/html' },
} as const;

export const linkRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/r/{token}',
    operationId: 'openLink',
    tag,
    summary: 'The page of a recovery link: amount, merchant, a pay button. Charges and consumes nothing',
    access: 'public',
    params,
    responses: { 200: { description: 'The page', type: 'text/html' }, ...otherwise },
    handler: withPages(openLink),
  }),
  route({
    method: 'get',
    path: '/r/{token}/done',
    operationId: 'returnFromCheckout',
    tag,
    summary: 'Where the checkout leads after paying: thanks, or that the payment is being confirmed',
    access: 'public',
    params,
    responses: { 200: { description: 'The page', type: 'text/html' }, ...otherwise },
    handler: withPages(returned),
  }),
  route({
    method: 'post',
    path: '/r/{token}/pay',
    positioned: false,
    operationId: 'pay',
    tag,
    summary: 'Opens a checkout at the PSP and leads there',
    access: 'public',
    params,
    responses: {
      303: { description: 'To the checkout' },
      409: { description: 'A charge is under way, or the recovery ended', type: 'text/html' },
      ...otherwise,
    },
    handler: withPages(pay),
  }),
];
