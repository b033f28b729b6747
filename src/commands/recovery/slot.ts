import type { EventStore } from '../../events/eventStore.js';
import {
  type Category,
  type Classification,
  recoveryStream,
  type RetryPermission,
} from '../../events/recovery.js';
import type { Instant } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { type CardNames, type Counted, namesOf, onCredential } from '../credential/attempts.js';
import {
  type AttemptRef,
  isReserved,
  type RecordExternalAttempt,
  type Reservation,
  type SettleAttempt,
  type Verdict,
} from '../credential/decide.js';
import type { Charge } from '../credential/ledger.js';
import { limitsOn } from '../credential/networkLimits.js';
import { load, type Loaded } from '../handle.js';
import type { FailedData, Payment } from '../payment/state.js';
import { type Acting, contextOf, nowOf } from './acting.js';
import { permissionByCodes } from './classification/classify.js';
import type { Settlement } from './command.js';
import { recoveryDecider } from './decide.js';
import { chargeOf } from './guidance.js';
import { circumstancesOf } from './readGuidance.js';
import type { KnownRecovery } from './state.js';

/*
 * Each charge takes a slot of its credential before it is made and settles it after, in a stream that all recoveries
 * of that credential share. The slot is taken before the intent and settled before the outcome: whoever finds the one
 * without the other does the same again, and the stream knows it.
 */

export interface Slot extends Counted {
  readonly reserved: boolean;
  readonly takenAt: Instant;
}

const reserveOn = async (
  acting: Acting,
  card: CardNames,
  asked: Pick<Reservation, 'attempt' | 'charge'>,
): Promise<Slot> => {
  const { deps, recoveryId } = acting;
  const now = nowOf(acting);
  const data = { recoveryId, ...asked, limits: limitsOn(now), now };
  const context = contextOf(acting, 'ReserveAttempt');
  const counted = await onCredential(deps.store, card, { type: 'ReserveAttempt', data }, context);
  return { ...counted, reserved: isReserved(counted.ledger.state, data), takenAt: now };
};

/** Of the card that the payment has now. */
export const reserve = (
  acting: Acting,
  known: KnownRecovery,
  { state: payment }: Loaded<Payment>,
  attempt: number,
): Promise<Slot> => {
  const { principal, recoveryId } = acting;
  const last = payment.status === 'unknown' ? undefined : payment.last;
  if (last === undefined) throw new Error(`recovery ${recoveryId} has no failed payment`);
  const charge = chargeOf(known, circumstancesOf(last));
  return reserveOn(acting, namesOf(principal.orgId, last), { attempt, charge });
};

/** Of the card that an open attempt was begun with, where its slot is still taken. */
export const reserveAgain = (acting: Acting, credentialId: string, attempt: number): Promise<Slot> =>
  reserveOn(acting, { id: credentialId }, { attempt });

/** An account that is closed or stolen takes no charge of any debt, however the decline of this one was worded. */
const closesAccount: ReadonlySet<Category> = new Set(['account_invalid', 'lost_stolen_fraud', 'revoked']);

/** Where a message alone named the category, what the codes beside it say: words close no account. */
const permissionOf = ({ category, retry, evidence }: Classification): RetryPermission =>
  evidence.step === 'message' ? permissionByCodes(evidence) : closesAccount.has(category) ? 'never' : retry;

export const verdictOf = (classification: Classification): Verdict => ({
  retry: permissionOf(classification),
  ...(classification.earliest_at !== undefined && { earliest_at: classification.earliest_at }),
});

type SlotOutcome = Pick<SettleAttempt['data'], 'outcome' | 'verdict' | 'reservedAt'>;

/** What the outcome of an attempt makes of its slot; undefined while it is open. */
export const slotOutcomeOf = (settlement: Settlement): SlotOutcome | undefined =>
  settlement.status === 'unknown'
    ? undefined
    : settlement.status === 'succeeded'
      ? { outcome: 'succeeded' }
      : { outcome: 'declined', verdict: verdictOf(settlement.classification) };

/**
 * Before the outcome is recorded: what a decline forbids holds for every recovery of the credential at once.
 * @param credentialId where the slot was taken; it is settled where it is now
 */
export const settleSlot = (
  store: EventStore,
  credentialId: string,
  attempt: AttemptRef,
  outcome: SlotOutcome,
  context: CommandContext,
): Promise<Counted> => {
  const data = { ...attempt, ...outcome, now: context.now };
  const commandId = deriveId('slot', context.commandId);
  const command = { type: 'SettleAttempt', data } as const;
  return onCredential(store, { id: credentialId }, command, { ...context, commandId });
};

/** The charge is not made after all, unless another worker has begun this very attempt. */
export const giveBack = async (
  acting: Acting,
  attempt: number,
  { credentialId, takenAt: reservedAt }: Slot,
): Promise<void> => {
  const { deps, recoveryId } = acting;
  const { state } = await load(deps.store, recoveryDecider, recoveryStream(recoveryId));
  if (state.status === 'none' || state.attempts >= attempt) return;
  const outcome = { outcome: 'not_made', reservedAt } as const;
  await settleSlot(
    deps.store,
    credentialId,
    { recoveryId, attempt },
    outcome,
    contextOf(acting, 'give-back'),
  );
};

export const externalAttemptOf = (
  failure: FailedData,
  classification: Classification,
): RecordExternalAttempt => {
  const { amount, currency, trigger_id: triggerId, failed_at: at } = failure;
  const { brand } = circumstancesOf(failure);
  const initiator = classification.category === 'customer_abandoned' ? 'customer' : 'merchant';
  const charge: Charge = { amount, currency, brand, initiator };
  const data = { triggerId, charge, verdict: verdictOf(classification), at };
  return { type: 'RecordExternalAttempt', data };
};

/** A failure that we did not cause counts as an attempt on its credential, before anything is decided from it. */
export const countFailure = (
  store: EventStore,
  failure: FailedData,
  classification: Classification,
  context: CommandContext,
): Promise<Counted> => {
  const commandId = deriveId('slot', context.commandId);
  const card = namesOf(context.principal.orgId, failure);
  const command = externalAttemptOf(failure, classification);
  return onCredential(store, card, command, { ...context, commandId, occurredAt: failure.failed_at });
};
