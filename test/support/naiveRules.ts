import type { RuleEffects, RuleFacts } from '../../src/commands/rules/match.js';
import type { Range, Rule, RuleConditions } from '../../src/events/rules.js';

const isIn = (list: readonly string[] | undefined, value: string | undefined): boolean =>
  list === undefined || (value !== undefined && list.includes(value));

const isWithin = (range: Range | undefined, value: number): boolean =>
  (range?.at_least === undefined || value >= range.at_least) &&
  (range?.at_most === undefined || value <= range.at_most);

const holds = (conditions: RuleConditions, facts: RuleFacts): boolean =>
  isIn(conditions.category, facts.category) &&
  isIn(conditions.hardness, facts.hardness) &&
  isIn(conditions.currency, facts.currency) &&
  isIn(conditions.card_brand, facts.card_brand?.toLowerCase()) &&
  isIn(conditions.country, facts.country) &&
  isIn(conditions.segment, facts.segment) &&
  isWithin(conditions.amount, facts.amount) &&
  isWithin(conditions.attempt, facts.attempt) &&
  isWithin(conditions.hours_since_failure, facts.hours_since_failure) &&
  Object.entries(conditions.metadata ?? {}).every(
    ([key, values]) => Object.hasOwn(facts.metadata, key) && isIn(values, facts.metadata[key]),
  );

/** Asks one rule after the other, as the documentation says it; what the compiled rules are held against. */
export const matchNaively = (rules: readonly Rule[], facts: RuleFacts): RuleEffects => {
  const matching = rules.filter(({ enabled, conditions }) => enabled && holds(conditions, facts));
  const effects: Record<string, unknown> = { matched: matching.map(({ id }) => id) };
  for (const { id, name, actions } of matching)
    for (const [action, value] of Object.entries(actions)) {
      const rule = { id, name };
      if (action in effects) continue;
      if (action === 'skip_retries') effects[action] = { rule };
      else if (action === 'escalate' || action === 'stop')
        effects[action] = { rule, ...(value as { reason: string }) };
      else effects[action] = { rule, value };
    }
  return effects as unknown as RuleEffects;
};
