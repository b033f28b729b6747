import { Type } from 'typebox';
import { MAX_RULES, RuleActionsSchema, RuleConditionsSchema, ruleFields } from '../../events/rules.js';
import { closed, named, Uuid } from './common.js';

const Position = Type.Integer({ minimum: 0, description: 'Its place among the rules, counting from 0' });
const Version = Type.Integer({ description: 'Of the whole set of rules; every change is the next' });

export const AddRuleBody = closed({
  name: ruleFields.name,
  enabled: Type.Optional(Type.Boolean({ description: 'Default true' })),
  conditions: Type.Optional(RuleConditionsSchema),
  actions: RuleActionsSchema,
  position: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_RULES, description: 'Where to put it; default: last' }),
  ),
});
export const ChangeRuleBody = closed(ruleFields);
export const EnableRuleBody = closed({ enabled: Type.Boolean() });
export const RuleOrderBody = closed({ rule_ids: Type.Array(Uuid, { maxItems: MAX_RULES }) });

const listed = { id: Uuid, position: Position, ...ruleFields } as const;
export const RuleResponse = named('Rule', { ...listed, rules_version: Version });
export const RuleListResponse = named('RuleList', {
  rules_version: Version,
  data: Type.Array(closed(listed)),
});
