import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import type { PublicMessage } from '../../events/integration/message.js';
import type { RetryPolicy } from '../../events/organization.js';
import { paymentStream } from '../../events/payment.js';
import { recoveryStream } from '../../events/recovery.js';
import { deriveId, type OrgId, type PaymentId, recoveryIdOf } from '../../kernel/ids.js';
import type { Debt } from '../../kernel/ports.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { absent, handle, load } from '../handle.js';
import { debtOf } from '../payment/debt.js';
import { recordPaymentSuccess } from '../payment/record.js';
import { paymentDecider } from '../payment/decide.js';
import {
  broughtAddress,
  cardFailureOf,
  emailOf,
  failureBy,
  isOvertaken,
  pspRetriesOf,
} from '../payment/state.js';
import type { RulesReader } from '../rules/reader.js';
import { classify } from './classification/classify.js';
import { tablesInForceOn } from './classification/tables.js';
import type { Means } from './command.js';
import { readGuidance } from './readGuidance.js';
import { countFailure } from './slot.js';
import { tellRecovery } from './tellPspRetries.js';
import { recoveryDecider } from './decide.js';

export interface FollowDependencies {
  readonly store: EventStore;
  readonly rulesOf: RulesReader;
  /** The organization's policy as it stood at that position of the log, or later. */
  readonly policyOf: (orgId: OrgId, position: Position) => Promise<RetryPolicy>;
  /** How the PSP that the organization connected can collect it. */
  readonly meansOf: (debt: Debt) => Promise<Means>;
}

type MessageOf<T extends PublicMessage['type']> = Extract<PublicMessage, { type: T }>;
type FollowContext = Omit<CommandContext, 'commandId'>;

/** The message names the command: handed over twice, it leads to the same event ids. */
const commandOf = (message: PublicMessage, context: FollowContext): CommandContext => ({
  ...context,
  commandId: deriveId('follow', message.id),
});

/**
 * A failed payment starts its recovery, or tells the running one of a further failure. One that is told after the
 * success changes nothing for its own payment, but was an attempt on the card.
 */
export const followFailure = async (
  { store, rulesOf, policyOf, meansOf }: FollowDependencies,
  message: MessageOf<'payment.failed'>,
  context: FollowContext,
): Promise<void> => {
  const { orgId } = context.principal;
  const paymentId = message.data.payment_id as PaymentId;
  const [loaded, policy] = await Promise.all([
    load(store, paymentDecider, paymentStream(paymentId)),
    policyOf(orgId, BigInt(message.position)),
  ]);
  const { state: payment } = loaded;
  const failure = failureBy(payment, message.data.trigger_id);
  if (failure === undefined)
    throw new Error(`payment ${paymentId} does not hold failure ${message.data.trigger_id} yet`);
  const first = payment.failures?.firstTrigger === failure.trigger_id;
  authorize(context.principal, first ? 'recovery.start' : 'recovery.record_failure');
  const debt = debtOf(orgId, paymentId, payment);
  const onCard = cardFailureOf(payment, failure);
  const classification = classify(onCard.failure, failure.failed_at, tablesInForceOn(context.now));
  const counted = await countFailure(store, onCard, classification, commandOf(message, context));
  if (message.data.late) return;
  const pspRetries = pspRetriesOf(payment);
  const data = {
    paymentId,
    transactionRef: failure.transaction_ref,
    gateway: failure.gateway,
    triggerId: failure.trigger_id,
    failedAt: failure.failed_at,
    overtaken: isOvertaken(payment, failure.trigger_id),
    amount: failure.amount,
    currency: failure.currency,
    classification,
    policy,
    means: debt === undefined ? { chargeable: true, payable: true } : await meansOf(debt),
    channels: emailOf(payment) === undefined ? [] : policy.enabled_channels,
    addressChanged: broughtAddress(payment, failure.trigger_id),
    ...(pspRetries && { pspRetries }),
    guidance: await readGuidance({ store, rulesOf }, orgId, loaded, context.now, counted),
    now: context.now,
  };
  const options = first ? { from: absent(recoveryDecider) } : {};
  const stream = recoveryStream(recoveryIdOf(paymentId));
  const done = await handle(
    store,
    recoveryDecider,
    stream,
    { type: 'StartRecovery', data },
    commandOf(message, context),
    options,
  );
  await tellRecovery({ store, rulesOf }, failure, context, done.events.length > 0 ? loaded : undefined);
};

/** A paid payment ends its recovery, whatever brought the money in. */
export const followSuccess = async (
  { store }: Pick<FollowDependencies, 'store'>,
  message: MessageOf<'payment.succeeded'>,
  context: FollowContext,
): Promise<void> => {
  authorize(context.principal, 'recovery.succeed');
  const paymentId = message.data.payment_id as PaymentId;
  const { state: payment } = await load(store, paymentDecider, paymentStream(paymentId));
  if (payment.status !== 'succeeded') throw new Error(`payment ${paymentId} does not hold its success yet`);
  const { amount, currency, source, trigger_id: reference } = payment.success;
  const data = { amount, currency, source, reference, now: context.now };
  const stream = recoveryStream(recoveryIdOf(paymentId));
  await handle(
    store,
    recoveryDecider,
    stream,
    { type: 'SucceedRecovery', data },
    commandOf(message, context),
  );
};

/** A recovery that brought the money in itself tells the payment. */
export const followRecovery = async (
  { store }: Pick<FollowDependencies, 'store'>,
  message: MessageOf<'recovery.succeeded'>,
  context: FollowContext,
): Promise<void> => {
  const { payment_id: paymentId, source } = message.data;
  if (source !== 'our_retry') return; // every other source was told by the payment itself
  const { state: payment } = await load(store, paymentDecider, paymentStream(paymentId));
  if (payment.status !== 'failed') return;
  const { transaction_ref, amount, currency } = payment.last;
  const trigger_id = `recovery:${message.id}`;
  const data = { transaction_ref, amount, currency, source, trigger_id, succeeded_at: message.time } as const;
  await recordPaymentSuccess(store, data, context);
};
