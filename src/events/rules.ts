import { Type, type Static } from 'typebox';
import { mailTemplates } from './mail.js';
import { retryPolicyFields } from './organization.js';
import { categories, hardnesses } from './recovery.js';
import {
  closed,
  Country,
  Currency,
  enumOf,
  type EventOf,
  MAX_METADATA_KEY,
  MAX_METADATA_TEXT,
  Segment,
  Uuid,
} from './schema.js';

/** Values that a condition may name at most. */
const MAX_VALUES = 50;
const MAX_METADATA_CONDITIONS = 10;

const CardBrand = Type.String({
  pattern: '^[a-z0-9][a-z0-9 _-]{0,39}$',
  description: 'a card brand in lower case, at most 40 characters',
});
const oneOf = <const T extends ReturnType<typeof Type.String> | ReturnType<typeof enumOf>>(item: T) =>
  Type.Optional(Type.Array(item, { minItems: 1, maxItems: MAX_VALUES, uniqueItems: true }));

/** Both ends belong to the range; at least one is given. */
const rangeOf = (minimum: number, maximum: number) =>
  Type.Optional(
    Type.Object(
      {
        at_least: Type.Optional(Type.Integer({ minimum, maximum })),
        at_most: Type.Optional(Type.Integer({ minimum, maximum })),
      },
      { additionalProperties: false, minProperties: 1 },
    ),
  );
export interface Range {
  readonly at_least?: number;
  readonly at_most?: number;
}

/** Number of a retry. */
export const MAX_ATTEMPT = 20;

/** All that are given must hold; one that is absent holds for everything. Lists are "one of". */
export const RuleConditionsSchema = closed({
  category: oneOf(enumOf(categories)),
  hardness: oneOf(enumOf(hardnesses)),
  currency: oneOf(Currency),
  card_brand: oneOf(CardBrand),
  country: oneOf(Country),
  segment: oneOf(Segment),
  /** Key → the values of which the payment's metadata must have one. */
  metadata: Type.Optional(
    Type.Unsafe<Readonly<Record<string, readonly string[]>>>({
      type: 'object',
      minProperties: 1,
      maxProperties: MAX_METADATA_CONDITIONS,
      propertyNames: { type: 'string', minLength: 1, maxLength: MAX_METADATA_KEY },
      additionalProperties: {
        type: 'array',
        minItems: 1,
        maxItems: MAX_VALUES,
        uniqueItems: true,
        items: { type: 'string', maxLength: MAX_METADATA_TEXT },
      },
    }),
  ),
  /** Minor units of the one currency that is named beside it. */
  amount: rangeOf(0, 999_999_999_999),
  /** Number of the retry that would come next. */
  attempt: rangeOf(1, MAX_ATTEMPT),
  /** Hours since the recovery was opened. */
  hours_since_failure: rangeOf(0, 8_760),
});
export type RuleConditions = Static<typeof RuleConditionsSchema>;

const { max_retries, initial_delay_minutes, backoff_multiplier, max_delay_minutes } = retryPolicyFields;
/** What a rule sets in place of the organization's retry policy. */
export const PolicyChangeSchema = Type.Object(
  {
    max_retries: Type.Optional(max_retries),
    initial_delay_minutes: Type.Optional(initial_delay_minutes),
    backoff_multiplier: Type.Optional(backoff_multiplier),
    max_delay_minutes: Type.Optional(max_delay_minutes),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type PolicyChange = Static<typeof PolicyChangeSchema>;

/** `none`: no mails. */
export const ruleChannels = ['email', 'none'] as const;
export type RuleChannel = (typeof ruleChannels)[number];

const reasoned = Type.Optional(closed({ reason: Type.String({ minLength: 1, maxLength: 200 }) }));

export const RuleActionsSchema = Type.Object(
  {
    policy: Type.Optional(PolicyChangeSchema),
    skip_retries: Type.Optional(Type.Literal(true)),
    template: Type.Optional(enumOf(mailTemplates)),
    channel: Type.Optional(enumOf(ruleChannels)),
    /** The next retry comes at least that much after the decision. */
    delay_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 43_200 })),
    /** The merchant is told. */
    escalate: reasoned,
    /** The recovery is ended. */
    stop: reasoned,
  },
  { additionalProperties: false, minProperties: 1 },
);
export type RuleActions = Static<typeof RuleActionsSchema>;
export const ruleActions = Object.keys(RuleActionsSchema.properties) as readonly (keyof RuleActions)[];

/** What a merchant writes of a rule. */
export const ruleFields = {
  name: Type.String({ minLength: 1, maxLength: 120 }),
  enabled: Type.Boolean(),
  conditions: RuleConditionsSchema,
  actions: RuleActionsSchema,
} as const;
export const RuleSchema = closed({ id: Uuid, ...ruleFields });
export type Rule = Static<typeof RuleSchema>;

export const MAX_RULES = 1_000;

/** Of an organization's whole rule set, counting its changes; 0 is that of one that never had a rule. */
const Version = Type.Integer({ minimum: 1 });

/** Stored format: add, never change; upcast in registry.ts. */
export const ruleEvents = {
  /** A new rule comes last; `position` counts from 0. */
  RuleAdded: closed({ version: Version, rule: RuleSchema, position: Type.Integer({ minimum: 0 }) }),
  /** The rule as it is now, in its old place. */
  RuleChanged: closed({ version: Version, rule: RuleSchema }),
  RuleRemoved: closed({ version: Version, rule_id: Uuid }),
  /** Every rule, in the new order. */
  RulesReordered: closed({ version: Version, rule_ids: Type.Array(Uuid) }),
} as const;

export type RuleEvent = EventOf<typeof ruleEvents>;
export const rulesStream = (orgId: string) => `rules-${orgId}`;
