import type { CategoryPolicy, RetryPolicy } from '../../events/organization.js';
import { type Category, categories } from '../../events/recovery.js';
import type { Instant } from '../../kernel/clock.js';
import type { FieldError } from '../../kernel/errors.js';
import { tablesInForceOn } from '../recovery/classification/tables.js';

type Values = Omit<RetryPolicy, 'version'>;
type Hours = 'preferred_hours' | 'quiet_hours';

const hourFaults = (policy: Values, name: Hours, otherwise: string): FieldError[] => {
  const hours = policy[name];
  return hours !== undefined && hours.from === hours.to
    ? [
        {
          pointer: `/${name}/to`,
          detail: `must differ from \`from\`: one hour to itself is no period; ${otherwise}`,
        },
      ]
    : [];
};

/** Why a category has no retries of the same method to configure; undefined when it may have. */
const barrierOf = (category: Category, at: Instant): string | undefined => {
  const { retry } = tablesInForceOn(at).categories[category];
  if (retry === 'never')
    return 'the network or the issuer forbids every further charge, whatever a policy says';
  if (retry === 'after_change') return 'the same method cannot succeed before something changes';
  return undefined;
};

const barred = (category: Category, barrier: string, own: CategoryPolicy): FieldError[] => [
  ...((own.max_retries ?? 0) > 0
    ? [{ pointer: `/categories/${category}/max_retries`, detail: `must be 0 or left out: ${barrier}` }]
    : []),
  ...(own.waits_minutes !== undefined
    ? [{ pointer: `/categories/${category}/waits_minutes`, detail: `must be left out: ${barrier}` }]
    : []),
];

const categoryFaults = (policy: Values, category: Category, at: Instant): FieldError[] => {
  const own = policy.categories?.[category];
  if (own === undefined) return [];
  const barrier = barrierOf(category, at);
  if (barrier !== undefined) return barred(category, barrier, own);
  const { max_retries: retries = 0 } = own;
  const pointer = `/categories/${category}/max_retries`;
  const cap = tablesInForceOn(at).retryCaps[category];
  if (cap !== undefined && retries > cap)
    return [{ pointer, detail: `must be at most ${cap}: more do harm after ${category}` }];
  return retries > policy.max_retries
    ? [{ pointer, detail: `must be at most ${policy.max_retries}, the max_retries of all categories` }]
    : [];
};

/** What its schema cannot say of a policy: what contradicts itself or promises what never holds, and where. */
export const policyFaults = (policy: Values, at: Instant): readonly FieldError[] => [
  ...(policy.max_delay_minutes < policy.initial_delay_minutes
    ? [
        {
          pointer: '/max_delay_minutes',
          detail: `must be at least ${policy.initial_delay_minutes}, the initial_delay_minutes`,
        },
      ]
    : []),
  ...hourFaults(policy, 'preferred_hours', 'leave it out to charge at any hour'),
  ...hourFaults(policy, 'quiet_hours', 'leave it out to mail at any hour'),
  ...categories.flatMap((category) => categoryFaults(policy, category, at)),
];
