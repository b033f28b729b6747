import type { RuleFacts } from '../../src/commands/rules/match.js';
import { deriveId } from '../../src/kernel/ids.js';
import { categories, hardnesses } from '../../src/events/recovery.js';
import type { Rule, RuleActions, RuleConditions } from '../../src/events/rules.js';

/** The n-th of a list, over and over; strides without a common divisor mix every value with every other. */
const nth = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;

const currencies = ['EUR', 'USD', 'GBP', 'INR', 'JPY'];
const brands = ['visa', 'mastercard', 'amex'];
const countries = ['DE', 'US', 'GB', 'IN', 'FR', 'ES', 'IT'];
const segments = Array.from({ length: 11 }, (_, n) => `segment ${n}`);
const plans = ['free', 'team', 'business'];

/** Some are for everybody, as the first and every fiftieth; the others get narrower. */
const conditionsOf = (n: number): RuleConditions => ({
  ...(n % 50 !== 0 && {
    category: [nth(categories, n), nth(categories, n * 5 + 1), nth(categories, n * 7 + 3)],
  }),
  ...(n % 2 === 1 && { country: [nth(countries, n), nth(countries, n * 3 + 1)] }),
  ...(n % 3 === 1 && { currency: [nth(currencies, n)], amount: { at_least: (n % 40) * 500 } }),
  ...(n % 3 === 2 && { segment: [nth(segments, n)] }),
  ...(n % 4 === 1 && { card_brand: [nth(brands, n)] }),
  ...(n % 5 === 2 && { attempt: { at_least: 1 + (n % 3), at_most: 4 } }),
  ...(n % 7 === 3 && { metadata: { plan: [nth(plans, n)] } }),
  ...(n % 9 === 4 && { hours_since_failure: { at_most: 24 * (1 + (n % 10)) } }),
});

const actions: readonly RuleActions[] = [
  { delay_minutes: 1_440 },
  { template: 'other_method' },
  { policy: { max_retries: 2 } },
  { skip_retries: true, channel: 'email' },
  { escalate: { reason: 'a customer who matters' } },
];

/** Rules such as a merchant may write, always the same ones. */
export const merchantRules = (count: number): Rule[] =>
  Array.from({ length: count }, (_, n) => ({
    id: deriveId('rule', String(n)),
    name: `rule ${n}`,
    enabled: true,
    conditions: conditionsOf(n),
    actions: nth(actions, n),
  }));

/** Failures such as such a merchant may have. */
export const merchantFacts = (count: number): RuleFacts[] =>
  Array.from({ length: count }, (_, n) => ({
    category: nth(categories, n * 11),
    hardness: nth(hardnesses, n * 2),
    amount: 100 + ((n * 7_919) % 30_000),
    currency: nth(currencies, n * 3),
    card_brand: nth(brands, n * 2),
    country: nth(countries, n * 5),
    segment: nth(segments, n * 7),
    metadata: { plan: nth(plans, n >> 2), order: `order-${n}` },
    attempt: 1 + (n % 4),
    hours_since_failure: (n * 13) % 300,
  }));
