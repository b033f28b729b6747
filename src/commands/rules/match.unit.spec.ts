import { expect } from 'chai';
import fc from 'fast-check';
import { aRule, facts, factsArbitrary, ruleId, rulesArbitrary } from '../../../test/support/ruleSamples.js';
import { matchNaively } from '../../../test/support/naiveRules.js';
import type { RuleConditions } from '../../events/rules.js';
import { compileRules, type RuleFacts } from './match.js';

const matches = (conditions: RuleConditions, some: Partial<RuleFacts> = {}): boolean =>
  compileRules(1, [aRule(1, { conditions })]).match(facts(some)).matched.length === 1;

describe('rules: conditions', () => {
  it('hold for everything where there are none', () => expect(matches({})).to.equal(true));

  it('are "one of" in a list, and "all of" among each other', () => {
    const conditions: RuleConditions = {
      category: ['velocity_limit', 'insufficient_funds'],
      country: ['DE'],
    };
    expect(matches(conditions, { country: 'DE' })).to.equal(true);
    expect(matches(conditions, { country: 'FR' })).to.equal(false);
    expect(matches(conditions, { country: 'DE', category: 'revoked' })).to.equal(false);
  });

  it('do not hold for what is not known', () => {
    expect(matches({ country: ['DE'] })).to.equal(false);
    expect(matches({ segment: ['vip'] })).to.equal(false);
    expect(matches({ card_brand: ['visa'] })).to.equal(false);
    expect(matches({ metadata: { plan: ['a'] } })).to.equal(false);
  });

  it('take a card brand in any case', () =>
    expect(matches({ card_brand: ['visa'] }, { card_brand: 'VISA' })).to.equal(true));

  it('include both ends of a range', () => {
    const amount = (value: number) =>
      matches({ currency: ['EUR'], amount: { at_least: 10, at_most: 20 } }, { amount: value });
    expect([9, 10, 20, 21].map(amount)).to.deep.equal([false, true, true, false]);
    const attempt = (value: number) => matches({ attempt: { at_least: 2, at_most: 3 } }, { attempt: value });
    expect([1, 2, 3, 4].map(attempt)).to.deep.equal([false, true, true, false]);
    const hours = (value: number) =>
      matches({ hours_since_failure: { at_least: 24 } }, { hours_since_failure: value });
    expect([23.9, 24].map(hours)).to.deep.equal([false, true]);
  });

  it('count attempts beyond the last that can be named', () => {
    expect(matches({ attempt: { at_least: 20 } }, { attempt: 30 })).to.equal(true);
    expect(matches({ attempt: { at_most: 20 } }, { attempt: 21 })).to.equal(false);
  });

  it('want every key of the metadata, with one of its values', () => {
    const metadata = { plan: ['a', 'b'], region: ['eu'] };
    expect(matches({ metadata }, { metadata: { plan: 'b', region: 'eu', other: 'x' } })).to.equal(true);
    expect(matches({ metadata }, { metadata: { plan: 'b' } })).to.equal(false);
    expect(matches({ metadata }, { metadata: { plan: 'c', region: 'eu' } })).to.equal(false);
  });
});

describe('rules: actions', () => {
  it('of each kind come from the first matching rule that has it', () => {
    const rules = [
      aRule(1, { actions: { delay_minutes: 5 }, enabled: false }),
      aRule(2, { actions: { template: 'update_card' } }),
      aRule(3, { actions: { delay_minutes: 7 }, conditions: { category: ['revoked'] } }),
      aRule(4, { actions: { delay_minutes: 9, template: 'other_method' } }),
    ];
    expect(compileRules(3, rules).match(facts())).to.deep.equal({
      matched: [ruleId(2), ruleId(4)],
      template: { rule: { id: ruleId(2), name: 'Wait for payday' }, value: 'update_card' },
      delay_minutes: { rule: { id: ruleId(4), name: 'Wait for payday' }, value: 9 },
    });
  });

  it('are none without rules', () =>
    expect(compileRules(0, []).match(facts())).to.deep.equal({ matched: [] }));
});

describe('rules: properties', () => {
  const check = (length: number, numRuns: number) =>
    fc.assert(
      fc.property(
        rulesArbitrary(length),
        fc.array(factsArbitrary, { minLength: 1, maxLength: 10 }),
        (rules, many) => {
          const set = compileRules(1, rules);
          for (const each of many) {
            expect(set.match(each)).to.deep.equal(matchNaively(rules, each));
            expect(JSON.stringify(set.match(each))).to.equal(
              JSON.stringify(compileRules(1, rules).match(each)),
            );
          }
        },
      ),
      { numRuns },
    );

  it('a compiled set answers as one rule after the other would', () => check(40, 400));
  it('so does one of several hundred rules', () => check(300, 15));
});
