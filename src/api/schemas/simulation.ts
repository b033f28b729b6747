import { Type } from 'typebox';
import { channels } from '../../events/organization.js';
import { ExplanationSchema } from '../../events/recovery.js';
import { MAX_ATTEMPT, MAX_RULES, ruleActions, ruleFields } from '../../events/rules.js';
import { Email } from '../../events/schema.js';
import { closed, enumOf, named, nullable, Timestamp, Uuid } from './common.js';
import { ClassifiedSchema } from './declines.js';
import { PaymentFailedBody } from './payments.js';
import { AddRuleBody } from './rules.js';

const { transaction_ref, customer, ...failure } = PaymentFailedBody.properties;

const CandidateRule = closed({
  id: Type.Optional(Uuid),
  name: ruleFields.name,
  enabled: AddRuleBody.properties.enabled,
  conditions: AddRuleBody.properties.conditions,
  actions: ruleFields.actions,
});

export const SimulateBody = closed({
  ...failure,
  transaction_ref: Type.Optional({
    ...transaction_ref,
    description:
      'With the one of the real payment the times are those of the real payment, to the millisecond',
  }),
  customer: Type.Optional(
    closed({
      ...customer.properties,
      email: Type.Optional({ ...Email, description: 'Default: there is one' }),
    }),
  ),
  attempt: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_ATTEMPT,
      description: 'Number of the retry that comes next; those before it are taken as declined. Default 1',
    }),
  ),
  opened_at: Type.Optional({ ...Timestamp, description: 'When the recovery began. Default: `now`' }),
  now: Type.Optional({
    ...Timestamp,
    description: 'When the decision is taken, at most a year ahead. Default: now',
  }),
  rules: Type.Optional(
    Type.Array(CandidateRule, {
      maxItems: MAX_RULES,
      description: "To be tried instead of the organization's own; [] tries none",
    }),
  ),
});

const RuleName = closed({ id: Uuid, name: Type.String() });

const RulesVersion = nullable(Type.Integer({ description: 'null: the rules of the request were tried' }));
const Explained = closed({ ...ExplanationSchema.properties, rules_version: RulesVersion });

export const SimulationResponse = named('Simulation', {
  classification: ClassifiedSchema,
  policy_version: Type.Integer(),
  limits_version: Type.Integer(),
  rules_version: RulesVersion,
  rules: Type.Array(
    closed({
      ...RuleName.properties,
      matches: Type.Boolean(),
      unmet: Type.Array(Type.String({ description: 'JSON pointer into the rule at what does not hold' })),
    }),
    { description: 'Every rule, in order' },
  ),
  actions: Type.Array(
    closed({
      action: enumOf(ruleActions),
      value: Type.Unknown(),
      rule: RuleName,
    }),
    { description: 'What the matching rules want: of each kind the first' },
  ),
  retry: nullable(closed({ attempt: Type.Integer(), at: Timestamp, explanation: Explained })),
  mail: nullable(
    closed({
      step: Type.Integer(),
      channel: enumOf(channels),
      template: Type.String(),
      at: Timestamp,
      explanation: Explained,
    }),
  ),
  escalations: Type.Array(
    closed({
      cause: Type.String({ description: 'The category, or the id of the rule' }),
      reason: Type.String(),
    }),
  ),
  end: nullable(closed({ reason: Type.String(), explanation: Explained })),
  wait: nullable(closed({ explanation: Explained })),
});
