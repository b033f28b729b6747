import fc from 'fast-check';
import type { RuleFacts } from '../../src/commands/rules/match.js';
import type { RuleValues } from '../../src/commands/rules/faults.js';
import { mailTemplates } from '../../src/events/mail.js';
import { categories, hardnesses } from '../../src/events/recovery.js';
import type { Rule, RuleActions, RuleConditions } from '../../src/events/rules.js';

export const ruleId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export const ruleValues = (values: Partial<RuleValues> = {}): RuleValues => ({
  name: 'Wait for payday',
  enabled: true,
  conditions: {},
  actions: { delay_minutes: 60 },
  ...values,
});

export const aRule = (n: number, values: Partial<RuleValues> = {}): Rule => ({
  id: ruleId(n),
  ...ruleValues(values),
});

export const facts = (some: Partial<RuleFacts> = {}): RuleFacts => ({
  category: 'insufficient_funds',
  hardness: 'soft',
  amount: 4_900,
  currency: 'EUR',
  metadata: {},
  attempt: 1,
  hours_since_failure: 0,
  ...some,
});

const { constantFrom, integer, record, uniqueArray } = fc;

/** Few, so that many rules match. */
const someCategories = constantFrom(...categories.slice(0, 3));
const currencies = constantFrom('EUR', 'USD', 'INR');
const brands = constantFrom('visa', 'mastercard', 'amex');
const countries = constantFrom('DE', 'US', 'IN');
const segments = constantFrom('vip', 'trial', 'business');
const keys = constantFrom('plan', 'region', '__proto__', 'constructor');
const texts = constantFrom('a', 'b', 'c');

const listOf = <T>(item: fc.Arbitrary<T>) => uniqueArray(item, { minLength: 1, maxLength: 3 });
const rangeOf = (minimum: number, maximum: number) =>
  fc.oneof(
    integer({ min: minimum, max: maximum }).map((at_least) => ({ at_least })),
    integer({ min: minimum, max: maximum }).map((at_most) => ({ at_most })),
    fc
      .tuple(integer({ min: minimum, max: maximum }), integer({ min: minimum, max: maximum }))
      .map(([a, b]) => ({ at_least: Math.min(a, b), at_most: Math.max(a, b) })),
  );
const dictionary = <T>(value: fc.Arbitrary<T>) =>
  uniqueArray(fc.tuple(keys, value), { minLength: 1, maxLength: 3, selector: ([key]) => key }).map(
    (entries) => Object.fromEntries(entries) as Record<string, T>,
  );

const everyCondition = {
  category: listOf(someCategories),
  hardness: listOf(constantFrom(...hardnesses)),
  currency: listOf(currencies),
  card_brand: listOf(brands),
  country: listOf(countries),
  segment: listOf(segments),
  metadata: dictionary(listOf(texts)),
  amount: rangeOf(0, 9),
  attempt: rangeOf(1, 20),
  hours_since_failure: rangeOf(0, 9),
};
/** None to three of them. */
const conditionsArbitrary: fc.Arbitrary<RuleConditions> = fc
  .subarray(Object.keys(everyCondition) as (keyof typeof everyCondition)[], { maxLength: 3 })
  .chain((names) => record(Object.fromEntries(names.map((name) => [name, everyCondition[name]])))) as never;

const reasoned = texts.map((reason) => ({ reason }));
const actionsArbitrary: fc.Arbitrary<RuleActions> = record(
  {
    policy: integer({ min: 0, max: 10 }).map((max_retries) => ({ max_retries })),
    skip_retries: fc.constant(true as const),
    template: constantFrom(...mailTemplates),
    channel: constantFrom('email' as const, 'none' as const),
    delay_minutes: integer({ min: 1, max: 9 }),
    escalate: reasoned,
    stop: reasoned,
  },
  { requiredKeys: [] },
);

/** Rules of all kinds, also such as no merchant could write: a set holds whatever was stored. */
export const rulesArbitrary = (maxLength: number): fc.Arbitrary<Rule[]> =>
  fc
    .array(record({ enabled: fc.boolean(), conditions: conditionsArbitrary, actions: actionsArbitrary }), {
      maxLength,
      size: 'max',
    })
    .map((all) => all.map((values, index) => aRule(index, { ...values, name: `rule ${index}` })));

export const factsArbitrary: fc.Arbitrary<RuleFacts> = record(
  {
    category: fc.oneof(someCategories, constantFrom(...categories)),
    hardness: constantFrom(...hardnesses),
    currency: fc.oneof(currencies, fc.constant('JPY')),
    amount: integer({ min: 1, max: 9 }),
    card_brand: fc.oneof(brands, constantFrom('Visa', 'jcb')),
    country: fc.oneof(countries, fc.constant('FR')),
    segment: fc.oneof(segments, constantFrom('none', 'constructor')),
    metadata: fc.oneof(dictionary(texts), fc.constant({})),
    attempt: integer({ min: 1, max: 25 }),
    hours_since_failure: fc.oneof(integer({ min: 0, max: 10 }), fc.double({ min: 0, max: 10, noNaN: true })),
  },
  {
    requiredKeys: [
      'category',
      'hardness',
      'currency',
      'amount',
      'metadata',
      'attempt',
      'hours_since_failure',
    ],
  },
);
