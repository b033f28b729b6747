import type { Position } from '../../events/envelope.js';
import { recoveryStream } from '../../events/recovery.js';
import type { RecoveryId } from '../../kernel/ids.js';
import type { MailOutcome } from '../../kernel/ports.js';
import type { Principal } from '../../kernel/principal.js';
import type { Work } from '../../kernel/timerLeases.js';
import { assertOwn, authorize, type CommandName } from '../authorize.js';
import { load, type Loaded } from '../handle.js';
import { emailOf, type FailedData, type Payment } from '../payment/state.js';
import {
  type ActDependencies,
  type Acting,
  type Done,
  give,
  guidanceFor,
  nowOf,
  paymentOf,
} from './acting.js';
import { recoveryDecider } from './decide.js';
import { type DueAction, dueAction } from './due.js';
import type { Guidance } from './guidance.js';
import { heldBack } from './plan.js';
import { settledElsewhere } from './elsewhere.js';
import { chargedOf, debtOrThrow, settle, settleOpen } from './settle.js';
import { giveBack, reserve } from './slot.js';
import type { KnownRecovery, PendingNotification } from './state.js';
import { takeOver } from './takeOver.js';
import { tellMerchant } from './tellMerchant.js';

export type { ActDependencies, MerchantAlert, RecoveryMail } from './acting.js';

/*
 * intent → effect → outcome
 *
 * Nothing is charged or mailed before its intent is in the stream at the revision that was read, so one worker wins.
 * A worker that dies in between leaves an intent without outcome; whoever finds it asks again with the same key (the
 * PSP answers with the first result), or looks the payment up when the key may be forgotten or the debt is not to be
 * collected any more, and never charges blindly. A mail goes again under the same Message-ID.
 */

const isRetriedByPsp = (payment: Payment): boolean =>
  payment.status === 'failed' && payment.last.psp_retries?.next_at !== undefined;

const retry = async (
  acting: Acting,
  known: KnownRecovery,
  payment: Loaded<Payment>,
  attempt: number,
): Promise<Done> => {
  const guidance = await guidanceFor(acting, payment);
  if (known.pspRetries === undefined && isRetriedByPsp(payment.state))
    return give(acting, { type: 'FindPspRetries', data: { guidance, now: nowOf(acting) } });
  const forgo = (guidance: Guidance): Promise<Done> =>
    give(acting, { type: 'ForgoRetry', data: { attempt, guidance, now: nowOf(acting) } });
  if (heldBack(known, nowOf(acting), guidance) !== undefined) return forgo(guidance);
  const slot = await reserve(acting, known, payment, attempt);
  acting.deps.faults('retry:after-reserve');
  if (!slot.reserved) return forgo(await guidanceFor(acting, payment, slot));
  const idempotencyKey = `${acting.principal.orgId}:${acting.recoveryId}:${attempt}`;
  const charged = chargedOf(debtOrThrow(acting, known, payment.state));
  const { credentialId } = slot;
  const data = { attempt, idempotencyKey, charged, credentialId, now: nowOf(acting) };
  const begun = await give(acting, { type: 'StartRetry', data });
  acting.deps.faults('retry:after-intent');
  if (begun.events.length === 0) await giveBack(acting, attempt, slot);
  if (begun.events.length === 0 || begun.state.status === 'none' || begun.state.open === undefined)
    return begun;
  return settle({ ...acting, loaded: begun }, begun.state, begun.state.open, payment, 'charge');
};

type Customer = FailedData['customer'];
const customerOf = (payment: Payment): Customer | undefined =>
  payment.status === 'unknown' ? undefined : payment.last?.customer;

/** A mail that an address did not take goes to the one that was told meanwhile. */
const unlessMoved = async (
  acting: Acting,
  known: KnownRecovery,
  mailed: Customer | undefined,
  outcome: MailOutcome,
): Promise<MailOutcome> => {
  if (outcome.status !== 'failed' || !outcome.permanent) return outcome;
  const { state: payment } = await paymentOf(acting, known);
  return emailOf(payment) === mailed?.email ? outcome : { ...outcome, permanent: false };
};

const send = async (
  { deps, principal, recoveryId }: Acting,
  known: KnownRecovery,
  customer: Customer | undefined,
  { step, template, messageId }: PendingNotification & { readonly messageId: string },
): Promise<MailOutcome> => {
  if (customer?.email === undefined)
    return { status: 'failed', permanent: true, reason: 'no address is known' };
  return deps.sendMail({
    orgId: principal.orgId,
    recoveryId,
    ...{ step, template, messageId },
    category: known.classification.category,
    to: { address: customer.email, ...(customer.name !== undefined && { name: customer.name }) },
    amount: known.cohort.amount,
    currency: known.cohort.currency,
    linkExpiresAt: known.expiresAt,
  });
};

const notify = async (
  acting: Acting,
  known: KnownRecovery,
  payment: Loaded<Payment>,
  step: number,
): Promise<Done> => {
  const { deps, recoveryId } = acting;
  const messageId = `<${recoveryId}.${step}@stealth-recovery>`;
  const begun = await give(acting, {
    type: 'StartNotification',
    data: { step, messageId, guidance: await guidanceFor(acting, payment), now: nowOf(acting) },
  });
  deps.faults('mail:after-intent');
  const isBegun = begun.events.some(({ type }) => type === 'NotificationStarted');
  const { state } = begun;
  if (!isBegun || state.status === 'none' || state.notification === undefined) return begun;
  if (!(await deps.stillMine())) return begun;
  const customer = customerOf(payment.state);
  const answer = await send(acting, state, customer, { ...state.notification, messageId });
  deps.faults('mail:after-send');
  const outcome = await unlessMoved(acting, known, customer, answer);
  const guidance = await guidanceFor(acting, payment);
  const settled = { step, outcome, guidance, now: nowOf(acting) };
  const done = await give({ ...acting, loaded: begun }, { type: 'SettleNotification', data: settled });
  deps.faults('mail:after-outcome');
  return done;
};

/** Nobody will ask for the mail again: that its outcome is unknown is the outcome. */
const abandon = async (acting: Acting, known: KnownRecovery, step: number): Promise<Done> => {
  const outcome = {
    status: 'failed',
    permanent: true,
    reason: 'the recovery ended before the outcome was known',
  } as const;
  const guidance = await guidanceFor(acting, await paymentOf(acting, known));
  return give(acting, { type: 'SettleNotification', data: { step, outcome, guidance, now: nowOf(acting) } });
};

/** What is due of an active recovery, once it is sure that the debt was not settled elsewhere. */
const proceed = async (
  acting: Acting,
  known: KnownRecovery,
  due: Extract<DueAction, { kind: 'stop' | 'retry' | 'notify' | 'close' }>,
): Promise<Done> => {
  const payment = await paymentOf(acting, known);
  const settled = await settledElsewhere(acting, known, payment.state);
  if (settled !== undefined) return settled;
  switch (due.kind) {
    case 'stop':
      return takeOver(acting, known, payment);
    case 'retry':
      return retry(acting, known, payment, due.attempt);
    case 'notify':
      return notify(acting, known, payment, due.notification.step);
    case 'close':
      return give(acting, { type: 'CloseRecovery', data: { now: nowOf(acting) } });
    default:
      return due satisfies never;
  }
};

const rules = {
  settle: 'recovery.retry',
  stop: 'recovery.retry',
  retry: 'recovery.retry',
  notify: 'recovery.notify',
  abandon: 'recovery.notify',
  close: 'recovery.expire',
  alert: 'recovery.notify',
} as const satisfies Readonly<Record<DueAction['kind'], CommandName>>;

const perform = (acting: Acting, known: KnownRecovery, due: DueAction): Promise<Done> => {
  authorize(acting.principal, rules[due.kind]);
  switch (due.kind) {
    case 'settle':
      return settleOpen(acting, known, due.open);
    case 'abandon':
      return abandon(acting, known, due.notification.step);
    case 'alert':
      return tellMerchant(acting, known, due.alert);
    default:
      return proceed(acting, known, due);
  }
};

const workOf = ({ kind }: DueAction): Work => (kind === 'notify' || kind === 'alert' ? 'mail' : 'charge');

const proceedWhileDue = async (first: Acting): Promise<Position> => {
  let { loaded } = first;
  let work: Work | undefined;
  for (;;) {
    const due = dueAction(loaded.state, nowOf(first));
    if (due === undefined || loaded.state.status === 'none') return loaded.position;
    work ??= workOf(due);
    if (workOf(due) !== work) return loaded.position;
    const before = loaded.position;
    loaded = await perform({ ...first, loaded }, loaded.state, due);
    first.deps.logger.info({ action: due.kind }, 'recovery step done');
    if (loaded.position === before) return before;
  }
};

/**
 * Does what the stream says is due, one thing after the other, until nothing is, or the next is other work: that has
 * its own places. What fails is logged with the request that started the recovery.
 * @returns the position of the recovery's newest event: timers folded from older ones are stale
 * @throws DomainError `forbidden`, `not_found` (the recovery is another organization's)
 */
export const act = async (
  deps: ActDependencies,
  recoveryId: RecoveryId,
  principal: Principal,
): Promise<Position> => {
  let logger = deps.logger.child({ recovery_id: recoveryId, org_id: principal.orgId });
  try {
    const loaded = await load(deps.store, recoveryDecider, recoveryStream(recoveryId));
    if (loaded.state.status !== 'none') assertOwn(principal, loaded.orgId, 'recovery');
    const { requestId: request_id, correlationId: correlation_id } = loaded.began ?? {};
    logger = logger.child({ request_id, correlation_id });
    return await proceedWhileDue({ deps: { ...deps, logger }, principal, recoveryId, loaded });
  } catch (error) {
    logger.error({ err: error }, 'recovery step failed');
    throw error;
  }
};
