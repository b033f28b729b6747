import type { EventStore } from '../../events/eventStore.js';
import { organizationStream } from '../../events/organization.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import type { Instant } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/errors.js';
import { deriveId, type OrgId, type PaymentId, type RecoveryId } from '../../kernel/ids.js';
import type { Psp } from '../../kernel/ports.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle, load, type Loaded } from '../handle.js';
import { organizationDecider } from '../organization/decide.js';
import { debtOf } from '../payment/debt.js';
import { paymentDecider } from '../payment/decide.js';
import { recoveryDecider } from './decide.js';
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

/**
 * The customer (or a mail scanner) opens the link: recorded the first time, consumes and charges nothing.
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
  const [{ state: organization }] = await Promise.all([
    load(store, organizationDecider, organizationStream(orgId)),
    handle(store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded }),
  ]);
  const merchantName = 'name' in organization ? organization.name : '';
  const { amount, currency } = known.cohort;
  return { orgId, merchantName, amount, currency, status: statusOf(known) };
};

/**
 * Opens a checkout at the PSP for a click on the pay button. Killed in between, the next click asks the PSP with the
 * same key and gets the same session.
 * @returns where to send the customer; undefined when the debt is settled already
 * @throws DomainError `not_found`, `recovery_closed`, `attempt_in_flight`
 */
export const openCheckout = async (
  { store, psp }: { readonly store: EventStore; readonly psp: Psp },
  recoveryId: RecoveryId,
  returnUrl: string,
  request: CustomerRequest,
): Promise<string | undefined> => {
  const { orgId, loaded, known } = await visit(store, recoveryId);
  const count = String((known.checkout?.count ?? 0) + 1);
  const context = contextOf(recoveryId, orgId, request, 'open-checkout', count);
  authorize(context.principal, 'recovery.open_checkout');
  if (known.status === 'succeeded') return undefined;
  if (known.status !== 'active') throw new DomainError('recovery_closed', `The recovery is ${known.status}`);
  if (known.open !== undefined)
    throw new DomainError('attempt_in_flight', 'A charge of this payment is under way');
  const { state: payment } = await load(store, paymentDecider, paymentStream(known.paymentId));
  const debt = debtOf(orgId, known.paymentId as PaymentId, payment);
  if (payment.status === 'succeeded' || debt === undefined) return undefined;
  const previous = known.checkout?.reference;
  const idempotencyKey = `${orgId}:${recoveryId}:checkout:${count}`;
  const checkout = await psp.openCheckout(debt, {
    idempotencyKey,
    returnUrl,
    ...(previous !== undefined && { previous }),
  });
  if (checkout.status === 'already_paid') return undefined;
  const command = {
    type: 'OpenCheckout',
    data: { reference: checkout.reference, now: request.now },
  } as const;
  await handle(store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded });
  return checkout.url;
};
