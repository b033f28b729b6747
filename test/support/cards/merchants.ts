import { compileRules, type RuleSet } from '../../../src/commands/rules/match.js';
import type { RetryPolicy } from '../../../src/events/organization.js';
import { categories } from '../../../src/events/category.js';
import type { Rule, RuleActions, RuleConditions } from '../../../src/events/rules.js';
import { type Dice, dice as diceOf, randomOf } from '../random.js';
import { aRule } from '../ruleSamples.js';

const zones = ['UTC', 'Asia/Kolkata', 'America/New_York', 'Pacific/Auckland', 'Europe/London'];
const maybe = <T extends object>({ chance }: Dice, p: number, value: () => T): T | object =>
  chance(p) ? value() : {};

/** Merchants in a hurry more than not, or no limit but their own would ever be reached. */
export const aPolicy = (dice: Dice): RetryPolicy => {
  const { below, oneOf } = dice;
  const minutes = () => oneOf([1, 60, 600, 1_440, 4_320]);
  return {
    version: 1,
    max_retries: 3 + below(8),
    initial_delay_minutes: minutes(),
    backoff_multiplier: oneOf([1, 2]),
    max_delay_minutes: 4_320,
    enabled_channels: ['email'],
    ...maybe(dice, 0.3, () => ({
      categories: { [oneOf(categories)]: { max_retries: below(11), waits_minutes: [minutes(), minutes()] } },
    })),
    ...maybe(dice, 0.2, () => ({ max_days: 1 + below(30) })),
    ...maybe(dice, 0.3, () => ({ preferred_hours: { from: below(24), to: below(24) } })),
    ...maybe(dice, 0.3, () => ({ quiet_hours: { from: 21, to: 8 } })),
    ...maybe(dice, 0.3, () => ({ payday_days: [1, 15] })),
    ...maybe(dice, 0.7, () => ({ timezone: oneOf(zones) })),
    ...maybe(dice, 0.5, () => ({ psp_retries: oneOf(['watch', 'take_over']) })),
  };
};

const conditions = ({ oneOf, below }: Dice): RuleConditions =>
  oneOf<RuleConditions>([
    {},
    { category: [oneOf(categories), oneOf(categories)] },
    { hardness: ['soft'] },
    { attempt: { at_least: 1 + below(4) } },
    { card_brand: ['visa', 'upi'] },
    { amount: { at_most: 1_000 } },
    { hours_since_failure: { at_least: below(100) } },
  ]);

const actions = ({ oneOf, below }: Dice): RuleActions =>
  oneOf<RuleActions>([
    { delay_minutes: oneOf([1, 60, 10_000]) },
    { policy: { max_retries: 10, initial_delay_minutes: 1, backoff_multiplier: 1 } },
    { policy: { max_retries: below(11), max_delay_minutes: 30 } },
    { policy: { initial_delay_minutes: 5 } },
    { template: 'other_method' },
    { channel: 'none' },
    { escalate: { reason: 'look at it' } },
  ]);

const ending = ({ oneOf }: Dice): RuleActions =>
  oneOf<RuleActions>([{ skip_retries: true }, { stop: { reason: 'enough' } }]);

const aRuleSet = (seed: number): RuleSet => {
  const dice = diceOf(randomOf(seed));
  const rules = Array.from({ length: dice.below(5) }, (_, n): Rule => {
    const some = dice.chance(0.1) ? ending(dice) : actions(dice);
    return aRule(n, { conditions: conditions(dice), actions: some, enabled: dice.chance(0.9) });
  });
  return compileRules(rules.length, rules);
};

/** Compiled once: a merchant has the same rules for many payments. */
const ruleSets = Array.from({ length: 200 }, (_, n) => aRuleSet(n));
export const someRules = ({ oneOf }: Dice): RuleSet => oneOf(ruleSets);
