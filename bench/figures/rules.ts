import { compileRules, type RuleEffects, type RuleFacts } from '../../src/commands/rules/match.js';
import { matchNaively } from '../../test/support/naiveRules.js';
import { type Bench, rateFigure, resultOf } from '../lib/figure.js';
import { merchantFacts, merchantRules } from '../lib/merchantRules.js';
import { alternate, type Contender, linearly, type Round } from '../lib/rounds.js';

const FEW = 50;
const MANY = 1_000;
const failures = merchantFacts(1_000);

/** Matches every failure again and again for about `ms`; an operation's time is a thousandth of a turn's. */
const roundOf = (match: (facts: RuleFacts) => RuleEffects, ms: number) => (): Promise<Round> => {
  const latencies: number[] = [];
  const start = performance.now();
  for (let at = start; at - start < ms;) {
    let matched = 0;
    for (const facts of failures) matched += match(facts).matched.length;
    if (matched === 0) throw new Error('no rule matches: this measures nothing');
    const now = performance.now();
    latencies.push((now - at) / failures.length);
    at = now;
  }
  return Promise.resolve({
    operations: latencies.length * failures.length,
    ms: performance.now() - start,
    latencies,
  });
};

export const rulesBench: Bench = {
  names: ['match_rules', 'match_rules_1000'],
  run: async ({ sizes }) => {
    const [fewRules, manyRules] = [merchantRules(FEW), merchantRules(MANY)];
    const contender = (name: string, match: (facts: RuleFacts) => RuleEffects): Contender => ({
      name,
      round: roundOf(match, sizes.appendMs / 2),
    });
    const few = contender('50 rules', compileRules(1, fewRules).match);
    const many = contender('1,000 rules', compileRules(1, manyRules).match);
    const naive = contender('one after the other', (facts) => matchNaively(fewRules, facts));
    const results = await alternate([few, many, naive], sizes.rounds);
    const ours = resultOf(results, few);
    return [
      rateFigure(
        'match_rules',
        { ours, baseline: resultOf(results, naive) },
        { unit: 'op/s', baseline: 'asking one rule after the other', goal: 2 },
      ),
      rateFigure(
        'match_rules_1000',
        { ours: resultOf(results, many), baseline: linearly(ours, MANY / FEW) },
        { unit: 'op/s', baseline: '50 rules, growing linearly', goal: 2 },
      ),
    ];
  },
};
