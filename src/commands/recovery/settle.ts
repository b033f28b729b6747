import { type Instant, isBefore, plus } from '../../kernel/clock.js';
import type { PaymentId } from '../../kernel/ids.js';
import type { ChargeOutcome, Debt, Failure } from '../../kernel/ports.js';
import { isDeclined } from '../credential/decide.js';
import type { Loaded } from '../handle.js';
import { debtOf } from '../payment/debt.js';
import type { Payment } from '../payment/state.js';
import {
  type Acting,
  contextOf,
  type Done,
  give,
  guidanceFor,
  nowOf,
  paymentOf,
  requestIdOf,
} from './acting.js';
import { classify } from './classification/classify.js';
import type { Settlement } from './command.js';
import { isGivenUp } from './outcome.js';
import { reserveAgain, settleSlot, slotOutcomeOf } from './slot.js';
import { type Charged, KEY_LIFETIME, type KnownRecovery, type OpenAttempt } from './state.js';

const NO_CHARGE = { code: 'processing_error', message: 'the PSP knows of no charge for this attempt' };

export const declinedBy = (failure: Failure, now: Instant) =>
  ({ status: 'declined', failure, classification: classify(failure, now) }) as const;

const brandIn = ({ card_brand }: Failure = {}): Failure => (card_brand === undefined ? {} : { card_brand });

/** With the brand of the card that was charged, as earlier reports told it, where this answer leaves it out. */
export const withBrand = (failure: Failure, { charged }: OpenAttempt, payment: Payment): Failure => {
  const known = payment.status === 'unknown' ? undefined : payment.last;
  const replaced = charged !== undefined && charged.payment_method_id !== known?.payment_method?.id;
  return replaced ? failure : { ...brandIn(known?.failure), ...failure };
};

/** The PSP's answer as the decider takes it. A lookup that finds nothing means that nothing was charged. */
export const settlementOf = (outcome: ChargeOutcome, now: Instant): Settlement => {
  switch (outcome.status) {
    case 'succeeded':
      return { status: 'succeeded', reference: outcome.reference };
    case 'declined':
      return declinedBy(outcome.failure, now);
    case 'not_found':
      return declinedBy(NO_CHARGE, now);
    case 'unknown':
      return { status: 'unknown', reason: outcome.reason.slice(0, 500) };
    default:
      return outcome satisfies never;
  }
};

export const debtOrThrow = (
  { principal, recoveryId }: Acting,
  known: KnownRecovery,
  payment: Payment,
): Debt => {
  const debt = debtOf(principal.orgId, known.paymentId as PaymentId, payment);
  if (debt === undefined) throw new Error(`recovery ${recoveryId} has no failed payment`);
  return debt;
};

/**
 * Whether asking with the attempt's key may still charge: the request may never have arrived, so not for a debt that
 * is paid, given up or refused for good meanwhile, and not when the PSP may have forgotten the key.
 */
const mayCharge = (known: KnownRecovery, payment: Payment, open: OpenAttempt, now: Instant): boolean =>
  known.status === 'active' &&
  known.classification.retry === 'allowed' &&
  payment.status !== 'succeeded' &&
  isBefore(now, plus(open.startedAt, KEY_LIFETIME));

/** The debt as it stood when the attempt began: a PSP takes no other request under the same key. */
const charging = (debt: Debt, charged: Charged | undefined): Debt => {
  if (charged === undefined) return debt;
  const { paymentMethodId: _, ...rest } = debt;
  const { payment_method_id: paymentMethodId, references } = charged;
  return { ...rest, references, ...(paymentMethodId !== undefined && { paymentMethodId }) };
};

export const chargedOf = ({ paymentMethodId, references }: Debt): Charged => ({
  ...(paymentMethodId !== undefined && { payment_method_id: paymentMethodId }),
  references,
});

const slotAfter = (outcome: ChargeOutcome, settlement: Settlement, open: OpenAttempt, now: Instant) => {
  if (outcome.status === 'not_found') return { outcome: 'not_made' } as const;
  if (settlement.status === 'unknown' && isGivenUp(open, now)) return { outcome: 'unresolved' } as const;
  return slotOutcomeOf(settlement);
};

/** Asks the PSP for the outcome of an attempt whose intent is recorded, and records it. */
export const settle = async (
  acting: Acting,
  known: KnownRecovery,
  open: OpenAttempt,
  payment: Loaded<Payment>,
  ask: 'charge' | 'lookup',
): Promise<Done> => {
  const { deps } = acting;
  if (!(await deps.stillMine())) return acting.loaded;
  const { attempt, idempotencyKey } = open;
  const debt = charging(debtOrThrow(acting, known, payment.state), open.charged);
  const outcome = await deps.psp[ask](debt, idempotencyKey, requestIdOf(acting, String(attempt)));
  deps.faults('retry:after-charge');
  const now = nowOf(acting);
  const told =
    outcome.status === 'declined'
      ? { ...outcome, failure: withBrand(outcome.failure, open, payment.state) }
      : outcome;
  const settlement = settlementOf(told, now);
  const slot = slotAfter(outcome, settlement, open, now);
  const { recoveryId } = acting;
  const counted =
    slot === undefined || open.credentialId === undefined
      ? undefined
      : await settleSlot(
          deps.store,
          open.credentialId,
          { recoveryId, attempt },
          slot,
          contextOf(acting, 'slot'),
        );
  deps.faults('retry:after-slot');
  const guidance = await guidanceFor(acting, payment, counted);
  const data = { attempt, outcome: settlement, guidance, now };
  const done = await give(acting, { type: 'SettleRetry', data });
  if (done.events.some(({ type }) => type === 'DoublePaymentSuspected'))
    deps.logger.error({ payment_id: known.paymentId, attempt }, 'a debt was probably paid twice');
  deps.faults('retry:after-outcome');
  return done;
};

/** Asked again after a crash, the PSP may charge for the first time: not without the slot, taken anew. */
const hasSlot = async (acting: Acting, { attempt, credentialId }: OpenAttempt) => {
  if (credentialId === undefined) return true;
  const { reserved, ledger } = await reserveAgain(acting, credentialId, attempt);
  return reserved || isDeclined(ledger.state, { recoveryId: acting.recoveryId, attempt });
};

export const settleOpen = async (acting: Acting, known: KnownRecovery, open: OpenAttempt): Promise<Done> => {
  const payment = await paymentOf(acting, known);
  const may = mayCharge(known, payment.state, open, nowOf(acting)) && (await hasSlot(acting, open));
  return settle(acting, known, open, payment, may ? 'charge' : 'lookup');
};
