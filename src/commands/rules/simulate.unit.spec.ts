import { expect } from 'chai';
import fc from 'fast-check';
import { aRule, facts, factsArbitrary, ruleId, rulesArbitrary } from '../../../test/support/ruleSamples.js';
import { compileRules } from './match.js';
import { simulateRules } from './simulate.js';

describe('simulation of rules', () => {
  it('tells what each rule misses', () => {
    const rules = [
      aRule(1, { conditions: { country: ['DE'], attempt: { at_least: 2 } } }),
      aRule(2, { enabled: false }),
      aRule(3, { conditions: { metadata: { 'a/b': ['x'] }, currency: ['EUR'] } }),
      aRule(4),
    ];
    const { rules_version, effects, verdicts } = simulateRules(compileRules(7, rules), facts());
    expect(rules_version).to.equal(7);
    expect(effects.matched).to.deep.equal([ruleId(4)]);
    expect(verdicts.map(({ unmet }) => unmet)).to.deep.equal([
      ['/conditions/country', '/conditions/attempt'],
      ['/enabled'],
      ['/conditions/metadata/a~1b'],
      [],
    ]);
    expect(verdicts[3]).to.deep.equal({
      rule: { id: ruleId(4), name: 'Wait for payday' },
      matches: true,
      unmet: [],
    });
  });

  it('finds those to match that are acted upon', () => {
    fc.assert(
      fc.property(rulesArbitrary(30), factsArbitrary, (rules, each) => {
        const { effects, verdicts } = simulateRules(compileRules(1, rules), each);
        const matching = verdicts.filter(({ matches }) => matches).map(({ rule }) => rule.id);
        expect(matching).to.deep.equal(effects.matched);
      }),
    );
  });
});
