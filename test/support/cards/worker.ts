/*
 * What a worker does with a recovery that is due, in the order of act.ts, settle.ts and slot.ts, and stopping wherever
 * it may be killed or another worker may come in between. There is no store: every decision is on what is in memory.
 */
import { isDeclined, isReserved, type Reservation } from '../../../src/commands/credential/decide.js';
import { limitsOn } from '../../../src/commands/credential/networkLimits.js';
import { type DueAction, dueAction } from '../../../src/commands/recovery/due.js';
import { settlementOf } from '../../../src/commands/recovery/settle.js';
import { slotOutcomeOf } from '../../../src/commands/recovery/slot.js';
import { KEY_LIFETIME, type KnownRecovery, type OpenAttempt } from '../../../src/commands/recovery/state.js';
import { isBefore, plus } from '../../../src/kernel/clock.js';
import { CREDENTIAL } from '../recoverySamples.js';
import type { ChargeOutcome } from '../../../src/kernel/ports.js';
import type { Card, Debt } from './card.js';

type Steps = Generator<undefined, void>;

const keyOf = ({ id }: Debt, attempt: number): string => `${id}:${attempt}`;

const reserve = (card: Card, debt: Debt, attempt: number, charge?: Reservation['charge']): boolean => {
  const { now } = card;
  const data = { recoveryId: debt.id, attempt, ...(charge && { charge }), limits: limitsOn(now), now };
  return isReserved(card.onCredential({ type: 'ReserveAttempt', data }), data);
};

type Answered = ReturnType<Card['charge']> | 'not_found';

/** What the PSP says as its adapter puts it. */
const outcomeOf = ({ about }: Card, answered: Answered): ChargeOutcome => {
  if (answered === undefined) return { status: 'unknown', reason: 'timeout' };
  if (answered === 'not_found') return { status: 'not_found' };
  if (answered === 'succeeded') return { status: 'succeeded', reference: 'ch' };
  return { status: 'declined', failure: { ...answered.failure, card_brand: about.brand } };
};

const settle = function* (card: Card, debt: Debt, attempt: number, answered: Answered): Steps {
  const settlement = settlementOf(outcomeOf(card, answered), card.now);
  const slot = answered === 'not_found' ? ({ outcome: 'not_made' } as const) : slotOutcomeOf(settlement);
  const { now } = card;
  if (typeof answered === 'object') card.learns(debt, keyOf(debt, attempt));
  const settled =
    slot &&
    card.onCredential({ type: 'SettleAttempt', data: { recoveryId: debt.id, attempt, ...slot, now } });
  const guidance = card.guidance(debt, settled);
  yield;
  const data = { attempt, outcome: settlement, guidance, now };
  const events = card.give(debt, { type: 'SettleRetry', data });
  if (events.some(({ type }) => type === 'RecoverySucceeded')) {
    debt.paid = true;
    card.oracle.paid(debt.id);
  }
};

const retry = function* (card: Card, debt: Debt, known: KnownRecovery, attempt: number): Steps {
  const { knowledge } = card.oracle;
  const reserved = reserve(card, debt, attempt, card.chargeOf(debt, known));
  const refused = card.guidance(debt);
  yield;
  const { now } = card;
  if (!reserved) {
    card.give(debt, { type: 'ForgoRetry', data: { attempt, guidance: refused, now } });
    return;
  }
  const idempotencyKey = keyOf(debt, attempt);
  const data = { attempt, idempotencyKey, charged: { references: {} }, credentialId: CREDENTIAL, now };
  const begun = card.give(debt, { type: 'StartRetry', data });
  yield;
  if (begun.length === 0) return;
  const answered = card.charge(debt, idempotencyKey, knowledge);
  yield;
  yield* settle(card, debt, attempt, answered);
};

const settleOpen = function* (card: Card, debt: Debt, known: KnownRecovery, open: OpenAttempt): Steps {
  const { knowledge } = card.oracle;
  const { attempt, startedAt, idempotencyKey } = open;
  const may =
    known.status === 'active' &&
    known.classification.retry === 'allowed' &&
    !debt.paid &&
    isBefore(card.now, plus(startedAt, KEY_LIFETIME)) &&
    (reserve(card, debt, attempt) || isDeclined(card.ledger, { recoveryId: debt.id, attempt }));
  yield;
  const answered = may ? card.charge(debt, idempotencyKey, knowledge) : card.lookup(idempotencyKey);
  card.note(may ? 'asked again' : 'looked up');
  yield;
  yield* settle(card, debt, attempt, answered);
};

const notify = function* (card: Card, debt: Debt, step: number): Steps {
  const { now } = card;
  const messageId = `<${debt.id}.${step}>`;
  card.give(debt, {
    type: 'StartNotification',
    data: { step, messageId, guidance: card.guidance(debt), now },
  });
  yield;
  const lost = { status: 'failed', permanent: card.dice.chance(0.2), reason: 'bounced' } as const;
  const outcome = card.dice.chance(0.9) ? ({ status: 'sent' } as const) : lost;
  card.give(debt, {
    type: 'SettleNotification',
    data: { step, outcome, guidance: card.guidance(debt), now },
  });
};

const tellMerchant = function* (card: Card, debt: Debt, cause: string): Steps {
  const { now } = card;
  card.give(debt, { type: 'StartAlert', data: { cause, messageId: `<${debt.id}.${cause}>`, now } });
  yield;
  card.give(debt, { type: 'SettleAlert', data: { cause, outcome: { status: 'sent' }, now } });
};

const succeed = (card: Card, debt: Debt, source: 'external' | 'link'): void => {
  const { now } = card;
  card.give(debt, { type: 'SucceedRecovery', data: { amount: debt.amount, currency: 'EUR', source, now } });
};

/** @returns whether the debt turned out to be settled, or may be */
const settledElsewhere = (card: Card, debt: Debt, known: KnownRecovery): boolean => {
  if (debt.paid) {
    succeed(card, debt, 'external');
    return true;
  }
  if (known.checkout === undefined || card.dice.chance(0.8)) return false;
  const { reference } = known.checkout;
  if (card.dice.chance(0.5))
    return (
      card.give(debt, { type: 'AwaitCheckout', data: { reference, reason: 'undecided', now: card.now } })
        .length > 0
    );
  debt.paid = true;
  card.oracle.paid(debt.id);
  succeed(card, debt, 'link');
  return true;
};

const stop = (card: Card, debt: Debt): void => {
  if (card.dice.chance(0.2)) {
    card.give(debt, { type: 'AwaitPspRetries', data: { reason: 'timeout', now: card.now } });
    return;
  }
  const left = card.dice.chance(0.3) ? { left: 'no invoice' } : {};
  card.give(debt, {
    type: 'StopPspRetries',
    data: { ...left, guidance: card.guidance(debt), now: card.now },
  });
};

const proceed = function* (card: Card, debt: Debt, known: KnownRecovery, due: DueAction): Steps {
  switch (due.kind) {
    case 'settle':
      return yield* settleOpen(card, debt, known, due.open);
    case 'abandon': {
      const outcome = { status: 'failed', permanent: true, reason: 'it ended' } as const;
      const data = { step: due.notification.step, outcome, guidance: card.guidance(debt), now: card.now };
      return void card.give(debt, { type: 'SettleNotification', data });
    }
    case 'alert':
      return yield* tellMerchant(card, debt, due.alert.cause);
    default:
      if (settledElsewhere(card, debt, known)) return;
  }
  if (due.kind === 'stop') stop(card, debt);
  else if (due.kind === 'retry') yield* retry(card, debt, known, due.attempt);
  else if (due.kind === 'notify') yield* notify(card, debt, due.notification.step);
  else card.give(debt, { type: 'CloseRecovery', data: { now: card.now } });
};

/** As long as something is due and done. */
export const work = function* (card: Card, debt: Debt): Steps {
  for (;;) {
    const due = dueAction(debt.state, card.now);
    if (due === undefined || debt.state.status === 'none') return;
    const before = debt.version;
    yield* proceed(card, debt, debt.state, due);
    if (debt.version === before) return;
  }
};
