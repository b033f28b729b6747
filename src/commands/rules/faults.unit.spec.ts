import { expect } from 'chai';
import { ruleValues } from '../../../test/support/ruleSamples.js';
import type { RuleActions, RuleConditions } from '../../events/rules.js';
import { MAX_RULE_BYTES, ruleFaults } from './faults.js';

const ofConditions = (conditions: RuleConditions) =>
  ruleFaults(ruleValues({ conditions })).map(({ pointer }) => pointer);
const ofActions = (actions: RuleActions) => ruleFaults(ruleValues({ actions })).map(({ pointer }) => pointer);
const stop = { reason: 'fraud' };

describe('faults of rules', () => {
  it('are ranges that nothing is in', () => {
    for (const name of ['attempt', 'hours_since_failure'] as const) {
      expect(ofConditions({ [name]: { at_least: 3, at_most: 2 } })).to.deep.equal([
        `/conditions/${name}/at_least`,
      ]);
      expect(ofConditions({ [name]: { at_least: 3, at_most: 3 } })).to.deep.equal([]);
    }
    expect(ofConditions({ currency: ['EUR'], amount: { at_least: 2, at_most: 1 } })).to.deep.equal([
      '/conditions/amount/at_least',
    ]);
  });

  it('are delays that end before they begin', () => {
    const policy = { initial_delay_minutes: 60, max_delay_minutes: 59 };
    expect(ofActions({ policy })).to.deep.equal(['/actions/policy/max_delay_minutes']);
    expect(ofActions({ policy: { ...policy, max_delay_minutes: 60 } })).to.deep.equal([]);
    expect(ofActions({ policy: { max_delay_minutes: 1 } })).to.deep.equal([]);
  });

  it('are amounts of no currency, or of several', () => {
    const amount = { at_least: 10 };
    expect(ofConditions({ amount })).to.deep.equal(['/conditions/currency']);
    expect(ofConditions({ amount, currency: ['EUR', 'USD'] })).to.deep.equal(['/conditions/currency']);
    expect(ofConditions({ amount, currency: ['EUR'] })).to.deep.equal([]);
  });

  it('are actions that contradict each other', () => {
    expect(ofActions({ stop, escalate: stop })).to.deep.equal([]);
    expect(ofActions({ stop, policy: { max_retries: 1 }, template: 'update_card' })).to.deep.equal([
      '/actions/policy',
      '/actions/template',
    ]);
    for (const other of [{ skip_retries: true }, { channel: 'email' }, { delay_minutes: 5 }] as const)
      expect(ofActions({ stop, ...other })).to.deep.equal([`/actions/${Object.keys(other)[0]}`]);
    expect(ofActions({ skip_retries: true, policy: { max_retries: 2 }, delay_minutes: 5 })).to.deep.equal([
      '/actions/policy',
      '/actions/delay_minutes',
    ]);
    expect(ofActions({ skip_retries: true, template: 'other_method' })).to.deep.equal([]);
    expect(ofActions({ channel: 'none', template: 'other_method' })).to.deep.equal(['/actions/template']);
  });

  it('are card brands that are none', () => {
    expect(ofConditions({ card_brand: ['visa', 'visaa', 'elo'] })).to.deep.equal([
      '/conditions/card_brand/1',
      '/conditions/card_brand/2',
    ]);
    expect(ofConditions({ card_brand: ['american_express', 'MC', 'Diners Club', 'unknown'] })).to.deep.equal(
      [],
    );
    expect(ruleFaults(ruleValues({ conditions: { card_brand: ['elo'] } }))[0]?.detail).to.match(
      /^must be one of visa, .*unknown \(of any other network\)/,
    );
  });

  it('are countries that there are none of', () => {
    expect(ofConditions({ country: ['DE', 'ZZ', 'UK'] })).to.deep.equal([
      '/conditions/country/1',
      '/conditions/country/2',
    ]);
    expect(ruleFaults(ruleValues({ conditions: { country: ['UK'] } }))[0]?.detail).to.equal(
      'must be GB, as ISO 3166-1 has it',
    );
  });

  it('are names and reasons that say nothing', () => {
    expect(ruleFaults(ruleValues({ name: ' ' })).map(({ pointer }) => pointer)).to.deep.equal(['/name']);
    expect(ofActions({ stop: { reason: '\t' }, escalate: { reason: '  ' } })).to.deep.equal([
      '/actions/escalate/reason',
      '/actions/stop/reason',
    ]);
  });

  it('are rules beyond measure', () => {
    const metadata = { plan: Array.from({ length: 40 }, (_, n) => `${n}`.padEnd(400, 'x')) };
    expect(JSON.stringify(metadata).length).to.be.greaterThan(MAX_RULE_BYTES);
    expect(ofConditions({ metadata })).to.deep.equal(['']);
  });
});
