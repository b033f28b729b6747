import type { Position } from '../../events/envelope.js';
import type { EventStore } from '../../events/eventStore.js';
import { paymentStream } from '../../events/payment.js';
import { type Category, recoveryStream } from '../../events/recovery.js';
import { type Clock, type Instant, isBefore, plus } from '../../kernel/clock.js';
import type { Faults } from '../../kernel/faults.js';
import { deriveId, type OrgId, type PaymentId, type RecoveryId } from '../../kernel/ids.js';
import type { ChargeOutcome, Debt, MailOutcome, Psp } from '../../kernel/ports.js';
import type { Principal } from '../../kernel/principal.js';
import type { Work } from '../../kernel/timerLeases.js';
import { authorize } from '../authorize.js';
import type { CommandContext } from '../context.js';
import { handle, load, type Loaded } from '../handle.js';
import { debtOf } from '../payment/debt.js';
import { paymentDecider } from '../payment/decide.js';
import type { Payment } from '../payment/state.js';
import { classify } from './classification/classify.js';
import { type RecoveryCommand, recoveryDecider, type Settlement } from './decide.js';
import { type DueAction, dueAction } from './due.js';
import { KEY_LIFETIME, type KnownRecovery, type OpenAttempt, type Recovery } from './state.js';

/** What a recovery mail is made of. */
export interface RecoveryMail {
  readonly orgId: OrgId;
  readonly recoveryId: RecoveryId;
  readonly messageId: string;
  readonly step: number;
  readonly template: string;
  readonly category: Category;
  readonly to: { readonly name?: string; readonly address: string };
  readonly amount: number;
  readonly currency: string;
  readonly linkExpiresAt: Instant;
}

export interface ActDependencies {
  readonly store: EventStore;
  readonly psp: Psp;
  /** Renders and sends. Never throws. */
  readonly sendMail: (mail: RecoveryMail) => Promise<MailOutcome>;
  readonly clock: Clock;
  readonly faults: Faults;
  /** Unique to this claim of the recovery. */
  readonly leaseId: string;
  /** False once another worker may have taken the recovery over: stop before the next effect. */
  readonly stillMine: () => Promise<boolean>;
}

/*
 * intent → effect → outcome
 *
 * Nothing is charged or mailed before its intent is in the stream at the revision that was read, so one worker wins.
 * A worker that dies in between leaves an intent without outcome; whoever finds it asks again with the same key (the
 * PSP answers with the first result), or looks the payment up when the key may be forgotten, and never charges
 * blindly. A mail goes again under the same Message-ID.
 */

interface Acting {
  readonly deps: ActDependencies;
  readonly orgId: OrgId;
  readonly recoveryId: RecoveryId;
  readonly loaded: Loaded<Recovery>;
}

type Done = Loaded<Recovery>;

const principalOf = (orgId: OrgId): Principal => ({ actor: { type: 'system', id: 'scheduler' }, orgId });

/** The lease and the state decided from name the command: two workers never append the same event ids. */
const contextOf = ({ deps, orgId, recoveryId, loaded }: Acting, type: string): CommandContext => ({
  principal: principalOf(orgId),
  commandId: deriveId('act', deps.leaseId, recoveryId, type, String(loaded.position)),
  correlationId: recoveryId,
  causationId: recoveryId,
  now: deps.clock.now().toISOString(),
});

const give = (acting: Acting, command: RecoveryCommand): Promise<Done & { events: readonly unknown[] }> => {
  const { deps, recoveryId, loaded } = acting;
  const context = contextOf(acting, command.type);
  return handle(deps.store, recoveryDecider, recoveryStream(recoveryId), command, context, { from: loaded });
};

const paymentOf = ({ deps: { store } }: Acting, known: KnownRecovery): Promise<Loaded<Payment>> =>
  load(store, paymentDecider, paymentStream(known.paymentId));

/** The PSP's answer as the decider takes it. A lookup that finds nothing means that nothing was charged. */
const settlementOf = (outcome: ChargeOutcome, now: Instant): Settlement => {
  switch (outcome.status) {
    case 'succeeded':
      return { status: 'succeeded', reference: outcome.reference };
    case 'declined':
      return { status: 'declined', failure: outcome.failure, classification: classify(outcome.failure, now) };
    case 'not_found': {
      const failure = { code: 'processing_error', message: 'the PSP knows of no charge for this attempt' };
      return { status: 'declined', failure, classification: classify(failure, now) };
    }
    case 'unknown':
      return { status: 'unknown', reason: outcome.reason.slice(0, 500) };
    default:
      return outcome satisfies never;
  }
};

const settle = async (acting: Acting, open: OpenAttempt, debt: Debt): Promise<Done> => {
  const { deps, recoveryId } = acting;
  if (!(await deps.stillMine())) return acting.loaded;
  const { attempt, idempotencyKey } = open;
  const keyForgotten = !isBefore(deps.clock.now().toISOString(), plus(open.startedAt, KEY_LIFETIME));
  const requestId = `${recoveryId}.${attempt}`;
  const outcome = keyForgotten
    ? await deps.psp.lookup(debt, idempotencyKey, requestId)
    : await deps.psp.charge(debt, idempotencyKey, requestId);
  deps.faults('retry:after-charge');
  const now = deps.clock.now().toISOString();
  const data = { attempt, outcome: settlementOf(outcome, now), now };
  const done = await give(acting, { type: 'SettleRetry', data });
  deps.faults('retry:after-outcome');
  return done;
};

const debtOrThrow = (acting: Acting, known: KnownRecovery, payment: Payment): Debt => {
  const debt = debtOf(acting.orgId, known.paymentId as PaymentId, payment);
  if (debt === undefined) throw new Error(`recovery ${acting.recoveryId} has no failed payment`);
  return debt;
};

const settleOpen = async (acting: Acting, known: KnownRecovery, open: OpenAttempt): Promise<Done> => {
  const { state: payment } = await paymentOf(acting, known);
  return settle(acting, open, debtOrThrow(acting, known, payment));
};

/** The payment may have been settled a moment ago, before the saga told the recovery. */
const succeedIfPaid = (acting: Acting, payment: Payment): Promise<Done> | undefined => {
  if (payment.status !== 'succeeded') return undefined;
  const { amount, currency, source } = payment.success;
  const data = { amount, currency, source, now: acting.deps.clock.now().toISOString() };
  return give(acting, { type: 'SucceedRecovery', data });
};

const retry = async (acting: Acting, known: KnownRecovery, attempt: number): Promise<Done> => {
  const { state: payment } = await paymentOf(acting, known);
  const paid = succeedIfPaid(acting, payment);
  if (paid !== undefined) return paid;
  const idempotencyKey = `${acting.orgId}:${acting.recoveryId}:${attempt}`;
  const now = acting.deps.clock.now().toISOString();
  const begun = await give(acting, { type: 'StartRetry', data: { attempt, idempotencyKey, now } });
  acting.deps.faults('retry:after-intent');
  const open = begun.state.status === 'none' ? undefined : begun.state.open;
  if (begun.events.length === 0 || open === undefined) return begun;
  return settle({ ...acting, loaded: begun }, open, debtOrThrow(acting, known, payment));
};

const notify = async (
  acting: Acting,
  known: KnownRecovery,
  { step, template }: Extract<DueAction, { kind: 'notify' }>['notification'],
): Promise<Done> => {
  const { deps, orgId, recoveryId } = acting;
  const { state: payment } = await paymentOf(acting, known);
  const paid = succeedIfPaid(acting, payment);
  if (paid !== undefined) return paid;
  const messageId = `<${recoveryId}.${step}@stealth-recovery>`;
  const now = deps.clock.now().toISOString();
  const begun = await give(acting, { type: 'StartNotification', data: { step, messageId, now } });
  deps.faults('mail:after-intent');
  if (begun.events.length === 0 || !(await deps.stillMine())) return begun;
  const customer = payment.status === 'unknown' ? undefined : payment.last?.customer;
  const outcome: MailOutcome =
    customer?.email === undefined
      ? { status: 'failed', permanent: true, reason: 'no address is known' }
      : await deps.sendMail({
          orgId,
          recoveryId,
          messageId,
          step,
          template,
          category: known.classification.category,
          to: { address: customer.email, ...(customer.name !== undefined && { name: customer.name }) },
          amount: known.cohort.amount,
          currency: known.cohort.currency,
          linkExpiresAt: known.expiresAt,
        });
  deps.faults('mail:after-send');
  const settled = { step, outcome, now: deps.clock.now().toISOString() };
  const done = await give({ ...acting, loaded: begun }, { type: 'SettleNotification', data: settled });
  deps.faults('mail:after-outcome');
  return done;
};

/** Nobody will ask for the mail again: that its outcome is unknown is the outcome. */
const abandon = (acting: Acting, step: number): Promise<Done> => {
  const outcome = {
    status: 'failed',
    permanent: true,
    reason: 'the recovery ended before the outcome was known',
  } as const;
  const now = acting.deps.clock.now().toISOString();
  return give(acting, { type: 'SettleNotification', data: { step, outcome, now } });
};

const perform = (acting: Acting, known: KnownRecovery, due: DueAction): Promise<Done> => {
  switch (due.kind) {
    case 'settle':
      return settleOpen(acting, known, due.open);
    case 'retry':
      return retry(acting, known, due.attempt);
    case 'notify':
      return notify(acting, known, due.notification);
    case 'abandon':
      return abandon(acting, due.notification.step);
    case 'close':
      return give(acting, { type: 'CloseRecovery', data: { now: acting.deps.clock.now().toISOString() } });
    default:
      return due satisfies never;
  }
};

const workOf = ({ kind }: DueAction): Work => (kind === 'notify' ? 'mail' : 'charge');

/**
 * Does what the stream says is due, one thing after the other, until nothing is, or the next is other work: that has
 * its own places.
 * @returns the position of the recovery's newest event: timers folded from older ones are stale
 */
export const act = async (deps: ActDependencies, recoveryId: RecoveryId, orgId: OrgId): Promise<Position> => {
  authorize(principalOf(orgId), 'recovery.retry');
  let loaded: Loaded<Recovery> = await load(deps.store, recoveryDecider, recoveryStream(recoveryId));
  let work: Work | undefined;
  for (;;) {
    const due = dueAction(loaded.state, deps.clock.now().toISOString());
    if (due === undefined || loaded.state.status === 'none') return loaded.position;
    work ??= workOf(due);
    if (workOf(due) !== work) return loaded.position;
    const before = loaded.position;
    loaded = await perform({ deps, orgId, recoveryId, loaded }, loaded.state, due);
    if (loaded.position === before) return before;
  }
};
