import type { EventStore } from '../../events/eventStore.js';
import { organizationStream } from '../../events/organization.js';
import { paymentStream } from '../../events/payment.js';
import { CHECKOUT_LIFETIME, recoveryStream } from '../../events/recovery.js';
import { type Instant, plus } from '../../kernel/clock.js';
import { DomainError, isDomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId, type PaymentId, type RecoveryId } from '../../kernel/ids.js';
import type { CheckoutPage, Psp } from '../../kernel/ports.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle, load, type Loaded } from '../handle.js';
import { organizationDecider } from '../organization/decide.js';
import { isHeld } from '../organization/state.js';
import { debtOf } from '../payment/debt.js';
import { paymentDecider } from '../payment/decide.js';
import { recoveryDecider } from './decide.js';
import { recordPaidAtPsp } from './elsewhere.js';
import type { KnownRecovery, Recovery } from './state.js';

export interface CustomerRequest {
  readonly now: Instant;
  readonly requestId: string;
}

/** What the customer's page shows. */
export interface RecoveryPage {
  readonly orgId: OrgId;
  readonly merchantName: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: 'payable' | 'paid' | 'closed';
}

interface Visit {
  readonly orgId: OrgId;
  readonly loaded: Loaded<Recovery>;
  readonly known: KnownRecovery;
}

const statusOf = ({ status }: KnownRecovery): RecoveryPage['status'] =>
  status === 'active' ? 'payable' : status === 'succeeded' ? 'paid' : 'closed';

/** The link names the recovery; the recovery's own stream names the organization. */
const visit = async (store: EventStore, recoveryId: RecoveryId): Promise<Visit> => {
  const loaded = await load(store, recoveryDecider, recoveryStream(recoveryId));
  if (loaded.state.status === 'none' || loaded.orgId === undefined)
    throw new DomainError('not_found', 'no such link');
  return { orgId: loaded.orgId as OrgId, loaded, known: loaded.state };
};

const contextOf = (
  recoveryId: RecoveryId,
  orgId: OrgId,
  request: CustomerRequest,
  ...command: string[]
): CommandContext => ({
  principal: { actor: { type: 'customer', id: recoveryId }, orgId },
  commandId: deriveId('customer', recoveryId, ...command),
  correlationId: request.requestId,
  causationId: request.requestId,
  requestId: request.requestId,
  now: request.now,
});

const merchantNameOf = async (store: EventStore, orgId: OrgId): Promise<string> => {
  const { state } = await load(store, organizationDecider, organizationStream(orgId));
  return isHeld(state) ? state.name : '';
};

/**
 * The customer (or a mail scanner) opens the link: recorded the first time, consumes and charges nothing. A payment
 * just made shows as paid before the recovery knows of it.
 * @throws DomainError `not_found`
 */
export const openRecoveryLink = async (
  store: EventStore,
  recoveryId: RecoveryId,
  request: CustomerRequest,
): Promise<RecoveryPage> => {
  const { orgId, loaded, known } = await visit(store, recoveryId);
  const context = contextOf(recoveryId, orgId, request, 'open-link');
  authorize(context.principal, 'recovery.open_link');
  const command = { type: 'OpenLink', data: { now: request.now } } as const;
  const [merchantName, { state: payment }] = await Promise.all([
    merchantNameOf(store, orgId),
    load(store, paymentDecider, paymentStream(known.paymentId)),
    handle(store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded }),
  ]);
  const { amount, currency } = known.cohort;
  const status = payment.status === 'succeeded' ? 'paid' : statusOf(known);
  return { orgId, merchantName, amount, currency, status };
};

interface CustomerDependencies {
  readonly store: EventStore;
  readonly psp: Psp;
}
export type ReturnPages = Pick<CheckoutPage, 'successUrl' | 'cancelUrl'>;

/** Each click has a key of its own: a PSP keeps its first answer to a key, also when that was a failure. */
const openOnce = async (
  { store, psp }: CustomerDependencies,
  recoveryId: RecoveryId,
  pages: ReturnPages,
  request: CustomerRequest,
): Promise<string | undefined> => {
  const { orgId, loaded, known } = await visit(store, recoveryId);
  const { now, requestId } = request;
  const click = [String((known.checkout?.count ?? 0) + 1), requestId];
  const context = contextOf(recoveryId, orgId, request, 'open-checkout', ...click);
  authorize(context.principal, 'recovery.open_checkout');
  if (known.status === 'succeeded') return undefined;
  if (known.status !== 'active') throw new DomainError('recovery_closed', `The recovery is ${known.status}`);
  if (known.open !== undefined)
    throw new DomainError('attempt_in_flight', 'A charge of this payment is under way');
  const [{ state: payment }, merchantName] = await Promise.all([
    load(store, paymentDecider, paymentStream(known.paymentId)),
    merchantNameOf(store, orgId),
  ]);
  const debt = debtOf(orgId, known.paymentId as PaymentId, payment);
  if (payment.status === 'succeeded' || debt === undefined) return undefined;
  const previous = known.checkout?.reference;
  const checkout = await psp.openCheckout(debt, {
    ...pages,
    idempotencyKey: [orgId, recoveryId, 'checkout', ...click].join(':'),
    merchantName,
    expiresAt: plus(now, CHECKOUT_LIFETIME),
    requestId,
    ...(previous !== undefined && { previous }),
  });
  if (checkout.status === 'already_paid') {
    const source = checkout.by === 'checkout' ? 'link' : 'external';
    await recordPaidAtPsp(store, debt, { reference: checkout.reference, source }, context);
    return undefined;
  }
  const data = { reference: checkout.reference, previous, now };
  const command = { type: 'OpenCheckout', data } as const;
  await handle(store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded });
  return checkout.url;
};

const CLICKS_AT_ONCE = 3;

/**
 * Opens a checkout at the PSP for a click on the pay button, and closes the one before. Of two clicks at once the
 * later closes what the earlier opened. Killed in between, a checkout is left to which nobody was led.
 * @returns where to send the customer; undefined when the debt is settled already
 * @throws DomainError `not_found`, `recovery_closed`, `attempt_in_flight`
 */
export const openCheckout = async (
  deps: CustomerDependencies,
  recoveryId: RecoveryId,
  pages: ReturnPages,
  request: CustomerRequest,
): Promise<string | undefined> => {
  for (let tries = 1; ; tries++) {
    try {
      return await openOnce(deps, recoveryId, pages, request);
    } catch (error) {
      const overtaken = isDomainError(error) && error.code === 'version_conflict';
      if (!overtaken || tries === CLICKS_AT_ONCE) throw error;
    }
  }
};
