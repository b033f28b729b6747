import { expect } from 'chai';
import fc from 'fast-check';
import { aRule, facts, factsArbitrary, ruleId, rulesArbitrary } from '../../../test/support/ruleSamples.js';
import { compileRules } from './match.js';
import { ruleFactsOf, simulateRules } from './simulate.js';

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

describe('facts for rules', () => {
  const classification = { category: 'issuer_decline', hardness: 'soft' } as const;
  const moment = { attempt: 2, openedAt: '2026-03-01T10:00:00.000Z', now: '2026-03-02T11:30:00.000Z' };
  const debt = { amount: 4_900, currency: 'EUR' };

  it('are taken from the failure, its classification and the moment', () => {
    const failed = {
      ...debt,
      failure: { card_brand: 'visa' },
      customer: { segment: 'vip', email: 'ada@example.com' },
      payment_method: { country: 'DE', last4: '4242' },
      metadata: { plan: 'pro' },
    };
    expect(ruleFactsOf(failed, classification, moment)).to.deep.equal({
      ...debt,
      ...classification,
      card_brand: 'visa',
      country: 'DE',
      segment: 'vip',
      metadata: { plan: 'pro' },
      attempt: 2,
      hours_since_failure: 25.5,
    });
  });

  it('leave out what is not known, and never lie before the failure', () => {
    const early = { ...moment, now: '2026-03-01T09:00:00.000Z' };
    expect(ruleFactsOf({ ...debt, failure: {}, customer: {} }, classification, early)).to.deep.equal({
      ...debt,
      ...classification,
      metadata: {},
      attempt: 2,
      hours_since_failure: 0,
    });
  });
});
