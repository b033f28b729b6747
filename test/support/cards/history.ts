import { DAY, MINUTE } from '../../../src/kernel/clock.js';
import { dice as diceOf, randomOf } from '../random.js';
import { Card, type Debt } from './card.js';
import { fail, others, pass, pay, visit, workAll } from './life.js';
import { aPolicy, someRules } from './merchants.js';

/** All tables and limits of today are in force. */
const START = '2027-01-25T09:30:00.000Z';
const brands = ['visa', 'visa', 'mastercard', 'mastercard', 'amex', 'unknown', 'upi', 'upi', 'ach'];
/** Few of them, so that payments share them. */
const amounts = [4_900, 4_900, 990];

const begun = (card: Card, number: number): Debt => {
  const { dice } = card;
  const debt: Debt = {
    id: `00000000-0000-4000-8000-00000000000${number}`,
    amount: dice.oneOf(amounts),
    policy: aPolicy(dice),
    state: { status: 'none' },
    version: 0,
    paid: false,
    failures: 0,
  };
  fail(card, debt);
  return debt;
};

const isActive = ({ state }: Debt): boolean => state.status === 'active';

const happen = (card: Card, debts: Debt[]): void => {
  const { dice } = card;
  const active = debts.filter(isActive);
  const debt = dice.oneOf(active.length > 0 ? active : debts);
  const what = dice.below(20);
  if (what < 4 && debts.length < 4) debts.push(begun(card, debts.length + 1));
  else if (what < 7) fail(card, debt);
  else if (what < 8) pay(card, debt);
  else if (what < 10) visit(card, debt);
  else if (what < 11 && isActive(debt))
    card.give(debt, { type: 'CancelRecovery', data: { reason: 'asked', by: 'merchant' } });
  else if (what < 14) others(card, 1 + dice.below(5), DAY);
  else card.wait(dice.below(600) * MINUTE);
};

/**
 * A card's story, the same for the same seed: up to four payments with their recoveries, the PSP's own retries, other
 * merchants' charges, customers who pay.
 * @throws Broken when a charge or a schedule breaks what the networks want
 */
export const historyOf = (seed: number): Card => {
  const dice = diceOf(randomOf(seed));
  const brand = dice.oneOf(brands);
  const country = brand === 'upi' ? 'IN' : dice.oneOf([undefined, undefined, 'DE', 'US', 'IN']);
  const about = { brand, ...(country !== undefined && { country }), rules: someRules(dice) };
  const card = new Card(dice, about, START);
  card.wait(dice.below(60 * DAY));
  others(card, dice.below(12), 25 * DAY);
  const debts = [begun(card, 1), begun(card, 2)];
  for (let step = 0; step < 11; step++) {
    if (dice.chance(0.25)) happen(card, debts);
    else if (!pass(card, debts)) break;
    workAll(card, debts);
  }
  return card;
};
