import type { Range, Rule, RuleConditions } from '../../events/rules.js';
import type { RuleEffects, RuleFacts, RuleRef, RuleSet } from './match.js';

/** How one rule stands to a failure. */
export interface RuleVerdict {
  readonly rule: RuleRef;
  readonly matches: boolean;
  /** Pointers into the rule at what does not hold. */
  readonly unmet: readonly string[];
}

export interface RuleSimulation {
  readonly rules_version: number;
  readonly effects: RuleEffects;
  /** Every rule, in order. */
  readonly verdicts: readonly RuleVerdict[];
}

const isWithin = ({ at_least: least = -Infinity, at_most: most = Infinity }: Range, value: number): boolean =>
  value >= least && value <= most;

const lists = ['category', 'hardness', 'currency', 'card_brand', 'country', 'segment'] as const;
const ranges = ['amount', 'attempt', 'hours_since_failure'] as const;

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const unmetOf = (conditions: RuleConditions, facts: RuleFacts): string[] => [
  ...lists
    .filter((name) => {
      const list: readonly string[] | undefined = conditions[name];
      const value = name === 'card_brand' ? facts.card_brand?.toLowerCase() : facts[name];
      return list !== undefined && (value === undefined || !list.includes(value));
    })
    .map((name) => `/conditions/${name}`),
  ...Object.entries(conditions.metadata ?? {})
    .filter(([key, values]) => {
      const value = Object.hasOwn(facts.metadata, key) ? facts.metadata[key] : undefined;
      return value === undefined || !values.includes(value);
    })
    .map(([key]) => `/conditions/metadata/${escaped(key)}`),
  ...ranges
    .filter((name) => !isWithin(conditions[name] ?? {}, facts[name]))
    .map((name) => `/conditions/${name}`),
];

const verdictOf = ({ id, name, enabled, conditions }: Rule, facts: RuleFacts): RuleVerdict => {
  const unmet = [...(enabled ? [] : ['/enabled']), ...unmetOf(conditions, facts)];
  return { rule: { id, name }, matches: unmet.length === 0, unmet };
};

/** What the rules would want of a failure, and for each of them why it has a say or none. */
export const simulateRules = (set: RuleSet, facts: RuleFacts): RuleSimulation => ({
  rules_version: set.version,
  effects: set.match(facts),
  verdicts: set.rules.map((rule) => verdictOf(rule, facts)),
});
