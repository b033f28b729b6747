import type { Rule, RuleEvent } from '../../events/rules.js';

/** An organization's rules, in the order in which they are asked. */
export interface RulesState {
  /** Counts the changes of the whole set. */
  readonly version: number;
  readonly rules: readonly Rule[];
  /** Ids of rules that were: a late repetition adds none of them again. */
  readonly removed: readonly string[];
}

export const noRules: RulesState = { version: 0, rules: [], removed: [] };

const added = (rules: readonly Rule[], rule: Rule, position: number): readonly Rule[] => [
  ...rules.slice(0, position),
  rule,
  ...rules.slice(position),
];

const reordered = (rules: readonly Rule[], ids: readonly string[]): readonly Rule[] => {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  return ids.flatMap((id) => byId.get(id) ?? []);
};

export const evolve = (state: RulesState, event: RuleEvent): RulesState => {
  const { rules, removed } = state;
  const { version } = event.data;
  switch (event.type) {
    case 'RuleAdded':
      return { version, rules: added(rules, event.data.rule, event.data.position), removed };
    case 'RuleChanged': {
      const { rule } = event.data;
      return { version, rules: rules.map((other) => (other.id === rule.id ? rule : other)), removed };
    }
    case 'RuleRemoved': {
      const { rule_id: gone } = event.data;
      return { version, rules: rules.filter(({ id }) => id !== gone), removed: [...removed, gone] };
    }
    case 'RulesReordered':
      return { version, rules: reordered(rules, event.data.rule_ids), removed };
    default:
      event satisfies never;
      return { ...state, version };
  }
};
