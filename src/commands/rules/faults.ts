import type { Range, Rule, RuleConditions } from '../../events/rules.js';
import { brandNamed, cardBrands } from '../../kernel/cardBrand.js';
import { countryNamed } from '../../kernel/country.js';
import type { FieldError } from '../../kernel/errors.js';

export type RuleValues = Omit<Rule, 'id'>;

/** Keeps a list of a thousand rules, and what is kept of them in memory, to a size that is known. */
export const MAX_RULE_BYTES = 8_192;

const ranges = ['amount', 'attempt', 'hours_since_failure'] as const;

const isUpsideDown = ({ at_least: least, at_most: most }: Range): boolean =>
  least !== undefined && most !== undefined && least > most;

const brandFaults = ({ card_brand: words = [] }: RuleConditions): FieldError[] =>
  words.flatMap((word, index) =>
    brandNamed(word) === undefined
      ? [
          {
            pointer: `/conditions/card_brand/${index}`,
            detail: `must be one of ${cardBrands.join(', ')} (of any other network), or a usual word for one of them`,
          },
        ]
      : [],
  );

const countryFaults = ({ country: codes = [] }: RuleConditions): FieldError[] =>
  codes.flatMap((code, index) => {
    const named = countryNamed(code);
    const detail = `must be ${named ?? 'the code of a country'}, as ISO 3166-1 has it`;
    return named === code ? [] : [{ pointer: `/conditions/country/${index}`, detail }];
  });

const conditionFaults = ({ conditions }: RuleValues): FieldError[] => [
  ...ranges
    .filter((name) => isUpsideDown(conditions[name] ?? {}))
    .map((name) => ({
      pointer: `/conditions/${name}/at_least`,
      detail: 'must not be greater than at_most',
    })),
  ...brandFaults(conditions),
  ...countryFaults(conditions),
  ...(conditions.amount !== undefined && conditions.currency?.length !== 1
    ? [
        {
          pointer: '/conditions/currency',
          detail: 'must name exactly one currency: an amount means nothing across currencies',
        },
      ]
    : []),
];

type ActionName = keyof RuleValues['actions'];
/** What leaves nothing for others to act on: action → those that contradict it. */
const contradictions: readonly (readonly [ActionName, readonly ActionName[]])[] = [
  ['stop', ['policy', 'skip_retries', 'template', 'channel', 'delay_minutes']],
  ['skip_retries', ['policy', 'delay_minutes']],
];

const delayFaults = ({ policy }: RuleValues['actions']): FieldError[] =>
  policy?.initial_delay_minutes !== undefined &&
  policy.max_delay_minutes !== undefined &&
  policy.max_delay_minutes < policy.initial_delay_minutes
    ? [
        {
          pointer: '/actions/policy/max_delay_minutes',
          detail: `must be at least ${policy.initial_delay_minutes}, the initial_delay_minutes`,
        },
      ]
    : [];

const actionFaults = ({ actions }: RuleValues): FieldError[] => [
  ...delayFaults(actions),
  ...contradictions
    .filter(([action]) => actions[action] !== undefined)
    .flatMap(([action, others]) =>
      others
        .filter((other) => actions[other] !== undefined)
        .map((other) => ({ pointer: `/actions/${other}`, detail: `must not stand beside ${action}` })),
    ),
  ...(actions.channel === 'none' && actions.template !== undefined
    ? [{ pointer: '/actions/template', detail: 'must not stand beside the channel none' }]
    : []),
];

const blankFaults = ({ name, actions: { escalate, stop } }: RuleValues): FieldError[] =>
  [
    { pointer: '/name', text: name },
    { pointer: '/actions/escalate/reason', text: escalate?.reason },
    { pointer: '/actions/stop/reason', text: stop?.reason },
  ]
    .filter(({ text }) => text?.trim() === '')
    .map(({ pointer }) => ({ pointer, detail: 'must not be blank' }));

const sizeFaults = ({ conditions, actions }: RuleValues): FieldError[] =>
  Buffer.byteLength(JSON.stringify([conditions, actions])) > MAX_RULE_BYTES
    ? [{ pointer: '', detail: `must be a rule of at most ${MAX_RULE_BYTES} bytes` }]
    : [];

/** What its schema cannot say of a rule: what contradicts itself, and where. */
export const ruleFaults = (rule: RuleValues): readonly FieldError[] => [
  ...blankFaults(rule),
  ...conditionFaults(rule),
  ...actionFaults(rule),
  ...sizeFaults(rule),
];

/** A sound rule as it is kept: each card brand by the word that decisions go by. */
export const asKept = <R extends RuleValues>(rule: R): R => {
  const { card_brand: words } = rule.conditions;
  if (words === undefined) return rule;
  const card_brand = [...new Set(words.map((word) => brandNamed(word) ?? word))];
  return { ...rule, conditions: { ...rule.conditions, card_brand } };
};
