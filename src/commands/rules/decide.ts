import { isDeepStrictEqual } from 'node:util';
import { MAX_RULES, type Rule, type RuleEvent } from '../../events/rules.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError, type FieldError } from '../../kernel/errors.js';
import type { Message } from '../../kernel/message.js';
import { asKept, ruleFaults } from './faults.js';
import { evolve, noRules, type RulesState } from './state.js';

interface Expecting {
  /** The version of the rule set the change was made from; another one refuses it. */
  readonly expectedVersion?: number;
}
/** The rule comes last, or into the place given, counting from 0. */
export type AddRule = Message<'AddRule', Expecting & { readonly rule: Rule; readonly position?: number }>;
export type ChangeRule = Message<'ChangeRule', Expecting & { readonly rule: Rule }>;
export type EnableRule = Message<
  'EnableRule',
  Expecting & { readonly ruleId: string; readonly enabled: boolean }
>;
export type RemoveRule = Message<'RemoveRule', Expecting & { readonly ruleId: string }>;
export type ReorderRules = Message<'ReorderRules', Expecting & { readonly ruleIds: readonly string[] }>;
export type RulesCommand = AddRule | ChangeRule | EnableRule | RemoveRule | ReorderRules;

type Decided = readonly RuleEvent[];

const refuse = (errors: readonly FieldError[]): DomainError =>
  new DomainError('validation_failed', 'The rules would not hold together', errors);

const sound = (rule: Rule): Rule => {
  const faults = ruleFaults(rule);
  if (faults.length > 0) throw refuse(faults);
  return asKept(rule);
};

const known = ({ rules }: RulesState, ruleId: string): Rule => {
  const rule = rules.find(({ id }) => id === ruleId);
  if (rule === undefined) throw new DomainError('not_found', 'no such rule');
  return rule;
};

const reordered = (version: number, ids: readonly string[]): RuleEvent => ({
  type: 'RulesReordered',
  data: { version, rule_ids: [...ids] },
});

const add = ({ data: { rule, position } }: AddRule, { rules, removed, version }: RulesState): Decided => {
  if (rules.some(({ id }) => id === rule.id)) return [];
  if (removed.includes(rule.id)) throw new DomainError('not_found', 'the rule was added, and removed since');
  if (rules.length >= MAX_RULES)
    throw new DomainError('too_many_rules', `an organization has at most ${MAX_RULES} rules`);
  const added: RuleEvent = {
    type: 'RuleAdded',
    data: { version: version + 1, rule: sound(rule), position: rules.length },
  };
  if (position === undefined || position >= rules.length) return [added];
  const ids = rules.map(({ id }) => id);
  ids.splice(position, 0, rule.id);
  return [added, reordered(version + 2, ids)];
};

const changed = (rule: Rule, state: RulesState): Decided =>
  isDeepStrictEqual(known(state, rule.id), rule)
    ? []
    : [{ type: 'RuleChanged', data: { version: state.version + 1, rule } }];

const change = ({ data: { rule } }: ChangeRule, state: RulesState): Decided => {
  known(state, rule.id);
  return changed(sound(rule), state);
};

const enable = ({ data: { ruleId, enabled } }: EnableRule, state: RulesState): Decided =>
  changed({ ...known(state, ruleId), enabled }, state);

const remove = ({ data: { ruleId } }: RemoveRule, state: RulesState): Decided => {
  known(state, ruleId);
  return [{ type: 'RuleRemoved', data: { version: state.version + 1, rule_id: ruleId } }];
};

const orderFaults = (ids: readonly string[], { rules }: RulesState): FieldError[] => {
  const existing = new Set(rules.map(({ id }) => id));
  const given = new Set(ids);
  const faults = ids.flatMap((id, index) =>
    !existing.has(id)
      ? [{ pointer: `/rule_ids/${index}`, detail: 'must be the id of a rule of yours' }]
      : ids.indexOf(id) < index
        ? [{ pointer: `/rule_ids/${index}`, detail: 'must not be named twice' }]
        : [],
  );
  const missing = [...existing].filter((id) => !given.has(id)).length;
  if (missing > 0)
    faults.push({ pointer: '/rule_ids', detail: `must name every rule once; ${missing} of yours missing` });
  return faults;
};

const reorder = ({ data: { ruleIds } }: ReorderRules, state: RulesState): Decided => {
  const faults = orderFaults(ruleIds, state);
  if (faults.length > 0) throw refuse(faults.slice(0, 50));
  return state.rules.every(({ id }, index) => id === ruleIds[index])
    ? []
    : [reordered(state.version + 1, ruleIds)];
};

const decided = (command: RulesCommand, state: RulesState): Decided => {
  switch (command.type) {
    case 'AddRule':
      return add(command, state);
    case 'ChangeRule':
      return change(command, state);
    case 'EnableRule':
      return enable(command, state);
    case 'RemoveRule':
      return remove(command, state);
    case 'ReorderRules':
      return reorder(command, state);
    default:
      return command satisfies never;
  }
};

/** What changes nothing is refused by no version: a command that is sent again finds a newer one, its own. */
const decide = (command: RulesCommand, state: RulesState): Decided => {
  const events = decided(command, state);
  const { expectedVersion = state.version } = command.data;
  if (events.length > 0 && expectedVersion !== state.version)
    throw new DomainError('version_mismatch', `the rules are at version ${state.version} by now`);
  return events;
};

export const rulesDecider: Decider<RulesState, RulesCommand, RuleEvent> = {
  initialState: noRules,
  evolve,
  decide,
};
