import { classify } from '../../../src/commands/recovery/classification/classify.js';
import { dueAction } from '../../../src/commands/recovery/due.js';
import { verdictOf } from '../../../src/commands/recovery/slot.js';
import { DAY, earliest, HOUR, type Instant, isBefore, MINUTE, plus } from '../../../src/kernel/clock.js';
import type { Card, Debt } from './card.js';
import { work } from './worker.js';

/** A report of the PSP, in the order of followPayment.ts. */
export const fail = (card: Card, debt: Debt): void => {
  const { dice, now } = card;
  const answer = dice.oneOf(card.answers);
  const failed_at = dice.chance(0.8) ? now : plus(now, -dice.below(6 * HOUR));
  const trigger_id = `${debt.id}-${++debt.failures}`;
  const failure = { ...answer.failure, card_brand: card.about.brand };
  const { country } = card.about;
  const failed = {
    ...{ transaction_ref: debt.id, amount: debt.amount, currency: 'EUR', gateway: 'sandbox' },
    ...{ customer: {}, failure, trigger_id, failed_at, late: debt.paid },
    payment_method: { id: 'pm', ...(country !== undefined && { country }) },
  };
  const overtaken = debt.failed !== undefined && isBefore(failed_at, debt.failed.failed_at);
  if (!debt.paid && !overtaken) debt.failed = failed;
  const classification = classify(failure, failed_at);
  card.oracle.toldOf(card.charged(debt, answer.by), Date.parse(failed_at), answer);
  card.record(trigger_id, failed_at, verdictOf(classification), debt.amount, answer.by ?? 'merchant');
  if (debt.paid) return;
  const ofPsp = dice.below(8);
  if (ofPsp === 0) debt.pspRetries = 'to_come';
  if (ofPsp === 1 && debt.pspRetries !== undefined) debt.pspRetries = 'over';
  const { policy } = debt;
  card.give(debt, {
    type: 'StartRecovery',
    data: {
      ...{ paymentId: debt.id, transactionRef: debt.id, gateway: 'sandbox', triggerId: trigger_id },
      ...{ failedAt: failed_at, overtaken },
      ...{ amount: debt.amount, currency: 'EUR', classification, policy, channels: ['email'], now },
      means: { chargeable: dice.chance(0.98), payable: dice.chance(0.9) },
      ...(debt.pspRetries && { pspRetries: debt.pspRetries }),
      guidance: card.guidance(debt),
    },
  });
};

/** The money comes in by itself; the recovery is told at once, or not before a worker looks. */
export const pay = (card: Card, debt: Debt): void => {
  if (debt.paid) return;
  debt.paid = true;
  card.oracle.paid(debt.id);
  const { now } = card;
  const { amount } = debt;
  if (card.dice.chance(0.5))
    card.give(debt, { type: 'SucceedRecovery', data: { amount, currency: 'EUR', source: 'external', now } });
};

export const visit = (card: Card, debt: Debt): void => {
  const { state } = debt;
  if (state.status !== 'active' || state.open !== undefined) return;
  const data = { reference: `cs-${debt.version}`, previous: state.checkout?.reference, now: card.now };
  card.give(debt, { type: 'OpenCheckout', data });
};

/** Somebody else's charges of the card, of which we are told. */
export const others = (card: Card, count: number, within: number): void => {
  for (let n = 0; n < count; n++) {
    const at = plus(card.now, -card.dice.below(within));
    const amount = card.dice.oneOf([4_900, 990]);
    const by = card.dice.chance(0.9) ? 'merchant' : 'customer';
    const answer = { failure: {}, means: 'soft' } as const;
    card.oracle.toldOf({ payment: 'other', amount, currency: 'EUR', initiator: by }, Date.parse(at), answer);
    card.record(`other-${card.log.length}`, at, { retry: 'allowed' }, amount, by);
  }
};

const nextDue = ({ state }: Debt): Instant | undefined => {
  if (state.status === 'none') return undefined;
  const alertAt = earliest(...state.alerts.map(({ at }) => at));
  if (state.open !== undefined) return earliest(state.open.checkAt, alertAt);
  if (state.status !== 'active') return earliest(state.notification?.at, alertAt);
  const { scheduled, notification, graceUntil, expiresAt, checkout } = state;
  const next = earliest(scheduled?.at, notification?.at, graceUntil, expiresAt) as Instant;
  const quiet = checkout !== undefined && isBefore(next, checkout.quietUntil);
  return earliest(quiet ? checkout.quietUntil : next, alertAt);
};

/** How late workers come: mostly not, sometimes after an outage. */
const lateness = ({ dice }: Card): number =>
  dice.chance(0.7) ? 0 : dice.chance(0.7) ? dice.below(10 * MINUTE) : dice.below(2 * DAY);

/** All that is due, by workers who interrupt each other and die. */
export const workAll = (card: Card, debts: readonly Debt[]): void => {
  const { dice } = card;
  const due = debts.filter(({ state }) => dueAction(state, card.now) !== undefined);
  const workers = due.flatMap((debt) =>
    dice.chance(0.05) ? [work(card, debt), work(card, debt)] : [work(card, debt)],
  );
  while (workers.length > 0) {
    const index = dice.below(workers.length);
    const dies = dice.chance(0.03);
    if (dies || workers[index]?.next().done === true) workers.splice(index, 1);
    if (dies) card.note('died');
  }
};

/** On to when something is due, or a little later. */
export const pass = (card: Card, debts: readonly Debt[]): boolean => {
  const next = earliest(...debts.map(nextDue));
  if (next === undefined) return false;
  if (isBefore(card.now, next)) card.now = next;
  card.wait(lateness(card));
  return true;
};
