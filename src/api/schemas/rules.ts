import { Type } from 'typebox';
import { MAX_RULES, RuleActionsSchema, RuleConditionsSchema, ruleFields } from '../../events/rules.js';
import { cardBrands } from '../../kernel/cardBrand.js';
import { closed, named, Uuid } from './common.js';

const Position = Type.Integer({ minimum: 0, description: 'Its place among the rules, counting from 0' });
const Version = Type.Integer({ description: 'Of the whole set of rules; every change is the next' });

const { card_brand } = RuleConditionsSchema.properties;
/** Words for brands as merchants use them: the command tells which are none. */
export const RuleConditionsBody = closed({
  ...RuleConditionsSchema.properties,
  card_brand: Type.Optional({
    ...card_brand,
    items: Type.String({ minLength: 1, maxLength: 40 }),
    description: `${cardBrands.join(', ')} (of any other network), or a usual word for one of them, kept as that one`,
  }),
});

export const AddRuleBody = closed({
  name: ruleFields.name,
  enabled: Type.Optional(Type.Boolean({ description: 'Default true' })),
  conditions: Type.Optional(RuleConditionsBody),
  actions: RuleActionsSchema,
  position: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_RULES, description: 'Where to put it; default: last' }),
  ),
});
export const ChangeRuleBody = closed({ ...ruleFields, conditions: RuleConditionsBody });
export const EnableRuleBody = closed({ enabled: Type.Boolean() });
export const RuleOrderBody = closed({ rule_ids: Type.Array(Uuid, { maxItems: MAX_RULES }) });

const listed = { id: Uuid, position: Position, ...ruleFields } as const;
export const RuleResponse = named('Rule', { ...listed, rules_version: Version });
export const RuleListResponse = named('RuleList', {
  rules_version: Version,
  data: Type.Array(closed(listed)),
});
