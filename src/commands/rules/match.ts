import type { Category, Hardness } from '../../events/recovery.js';
import type { MailTemplate } from '../../events/mail.js';
import {
  MAX_ATTEMPT,
  type PolicyChange,
  type Range,
  type Rule,
  type RuleChannel,
  ruleActions,
  type RuleConditions,
} from '../../events/rules.js';

/*
 * Rules are asked for every decision, so they are compiled first. Each value that some rule names gets a bitset with
 * a bit per enabled rule, set where the rule names the value or leaves the condition out; one more bitset per
 * condition serves the values that nobody names. The rules that can match a failure are the AND of one bitset per
 * condition, a few words for a thousand rules; only these are looked at, in order, for what has no index (ranges of
 * amounts and hours, metadata).
 */

/** What is known of a failure when its next step is decided. */
export interface RuleFacts {
  readonly category: Category;
  readonly hardness: Hardness;
  readonly amount: number;
  readonly currency: string;
  readonly card_brand?: string;
  readonly country?: string;
  readonly segment?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Number of the retry that would come next. */
  readonly attempt: number;
  readonly hours_since_failure: number;
}

export interface RuleRef {
  readonly id: string;
  readonly name: string;
}
interface Chosen<T> {
  readonly rule: RuleRef;
  readonly value: T;
}
interface Reasoned {
  readonly rule: RuleRef;
  readonly reason: string;
}

/** What the rules want: for each kind of action, what the first matching rule that has it says. */
export interface RuleEffects {
  /** Ids of all matching rules, in order. */
  readonly matched: readonly string[];
  readonly policy?: Chosen<PolicyChange>;
  readonly skip_retries?: { readonly rule: RuleRef };
  readonly template?: Chosen<MailTemplate>;
  readonly channel?: Chosen<RuleChannel>;
  readonly delay_minutes?: Chosen<number>;
  readonly escalate?: Reasoned;
  readonly stop?: Reasoned;
}

export interface RuleSet {
  readonly version: number;
  /** All of them, in order, also those that are not enabled. */
  readonly rules: readonly Rule[];
  readonly match: (facts: RuleFacts) => RuleEffects;
}

type Bits = Uint32Array;
type Test = (facts: RuleFacts) => boolean;
interface Compiled {
  readonly ref: RuleRef;
  /** A bit for each kind of action it has. */
  readonly kinds: number;
  readonly actions: Rule['actions'];
  /** What the index does not answer; undefined where it answers everything. */
  readonly test?: Test;
}

const within = ({ at_least: least = -Infinity, at_most: most = Infinity }: Range, value: number): boolean =>
  value >= least && value <= most;

const rangeTest = (range: Range | undefined, name: 'amount' | 'hours_since_failure'): Test[] =>
  range === undefined ? [] : [(facts) => within(range, facts[name])];

const metadataTests = (conditions: RuleConditions['metadata'] = {}): Test[] =>
  Object.entries(conditions).map(([key, list]) => {
    const values = new Set(list);
    return ({ metadata }) => Object.hasOwn(metadata, key) && values.has(metadata[key] as string);
  });

const testOf = ({ amount, hours_since_failure, metadata }: RuleConditions): Test | undefined => {
  const tests = [
    ...rangeTest(amount, 'amount'),
    ...rangeTest(hours_since_failure, 'hours_since_failure'),
    ...metadataTests(metadata),
  ];
  if (tests.length <= 1) return tests[0];
  return (facts) => tests.every((test) => test(facts));
};

const kindsOf = (actions: Rule['actions']): number =>
  ruleActions.reduce((kinds, name, index) => (actions[name] === undefined ? kinds : kinds | (1 << index)), 0);

const compiled = ({ id, name, conditions, actions }: Rule): Compiled => {
  const test = testOf(conditions);
  return { ref: { id, name }, kinds: kindsOf(actions), actions, ...(test && { test }) };
};

const bitsWhere = (rules: readonly Rule[], holds: (conditions: RuleConditions) => boolean): Bits => {
  const bits = new Uint32Array(Math.ceil(rules.length / 32));
  rules.forEach(({ conditions }, index) => {
    if (holds(conditions)) bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
  });
  return bits;
};

type Discrete = 'category' | 'hardness' | 'currency' | 'card_brand' | 'country' | 'segment';

/** The rules that a value of this condition leaves. */
const indexOf = (rules: readonly Rule[], name: Discrete): ((value: string | undefined) => Bits) => {
  const unnamed = bitsWhere(rules, (conditions) => conditions[name] === undefined);
  const named = new Map<string, Bits>();
  rules.forEach(({ conditions }, index) => {
    for (const value of conditions[name] ?? []) {
      const bits = named.get(value) ?? unnamed.slice();
      bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
      named.set(value, bits);
    }
  });
  return (value) => (value === undefined ? unnamed : (named.get(value) ?? unnamed));
};

/** One bitset for each number of a retry, and one each for what is before the first and after the last. */
const attemptIndex = (rules: readonly Rule[]): ((attempt: number) => Bits) => {
  const last = MAX_ATTEMPT + 1;
  const buckets = Array.from({ length: last + 1 }, (_, attempt) =>
    bitsWhere(rules, (conditions) => within(conditions.attempt ?? {}, attempt)),
  );
  const none = new Uint32Array(Math.ceil(rules.length / 32));
  return (attempt) => buckets[Math.max(0, Math.min(attempt, last))] ?? none;
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Takes from a matching rule what no earlier one has said. */
const take = (effects: Mutable<RuleEffects>, { ref: rule, actions }: Compiled): void => {
  const { policy, skip_retries, template, channel, delay_minutes, escalate, stop } = actions;
  if (policy !== undefined) effects.policy ??= { rule, value: policy };
  if (skip_retries !== undefined) effects.skip_retries ??= { rule };
  if (template !== undefined) effects.template ??= { rule, value: template };
  if (channel !== undefined) effects.channel ??= { rule, value: channel };
  if (delay_minutes !== undefined) effects.delay_minutes ??= { rule, value: delay_minutes };
  if (escalate !== undefined) effects.escalate ??= { rule, reason: escalate.reason };
  if (stop !== undefined) effects.stop ??= { rule, reason: stop.reason };
};

const and = (one: Bits, other: Bits, word: number): number => (one[word] as number) & (other[word] as number);

const matcherOf = (enabled: readonly Rule[]): RuleSet['match'] => {
  const rules = enabled.map(compiled);
  const category = indexOf(enabled, 'category');
  const hardness = indexOf(enabled, 'hardness');
  const currency = indexOf(enabled, 'currency');
  const brand = indexOf(enabled, 'card_brand');
  const country = indexOf(enabled, 'country');
  const segment = indexOf(enabled, 'segment');
  const attempt = attemptIndex(enabled);
  return (facts) => {
    const a = category(facts.category);
    const b = hardness(facts.hardness);
    const c = currency(facts.currency);
    const d = brand(facts.card_brand?.toLowerCase());
    const e = country(facts.country);
    const f = segment(facts.segment);
    const g = attempt(facts.attempt);
    const matched: string[] = [];
    const effects: Mutable<RuleEffects> = { matched };
    let said = 0;
    for (let word = 0; word < a.length; word++) {
      let bits = and(a, b, word) & and(c, d, word) & and(e, f, word) & (g[word] as number);
      for (; bits !== 0; bits &= bits - 1) {
        const rule = rules[word * 32 + 31 - Math.clz32(bits & -bits)] as Compiled;
        if (rule.test !== undefined && !rule.test(facts)) continue;
        matched.push(rule.ref.id);
        if ((rule.kinds & ~said) === 0) continue;
        said |= rule.kinds;
        take(effects, rule);
      }
    }
    return effects;
  };
};

/** Makes an organization's rules ready to be asked. */
export const compileRules = (version: number, rules: readonly Rule[]): RuleSet => ({
  version,
  rules,
  match: matcherOf(rules.filter(({ enabled }) => enabled)),
});
