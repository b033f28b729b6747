import { expect } from 'chai';
import fc from 'fast-check';
import { given, stateOf } from '../../../test/support/spec.js';
import { aRule, ruleId } from '../../../test/support/ruleSamples.js';
import { MAX_RULES, type Rule, type RuleEvent } from '../../events/rules.js';
import { assertValid } from '../../events/registry.js';
import { isDomainError } from '../../kernel/errors.js';
import { type RulesCommand, rulesDecider as decider } from './decide.js';
import { type RulesState } from './state.js';

const added = (version: number, rule: Rule, position: number): RuleEvent => ({
  type: 'RuleAdded',
  data: { version, rule, position },
});
const changed = (version: number, rule: Rule): RuleEvent => ({
  type: 'RuleChanged',
  data: { version, rule },
});
const removed = (version: number, n: number): RuleEvent => ({
  type: 'RuleRemoved',
  data: { version, rule_id: ruleId(n) },
});
const reordered = (version: number, ...ns: number[]): RuleEvent => ({
  type: 'RulesReordered',
  data: { version, rule_ids: ns.map(ruleId) },
});
const add = (rule: Rule, position?: number): RulesCommand => ({
  type: 'AddRule',
  data: { rule, ...(position !== undefined && { position }) },
});
const change = (rule: Rule): RulesCommand => ({ type: 'ChangeRule', data: { rule } });
const enable = (n: number, enabled: boolean): RulesCommand => ({
  type: 'EnableRule',
  data: { ruleId: ruleId(n), enabled },
});
const remove = (n: number): RulesCommand => ({ type: 'RemoveRule', data: { ruleId: ruleId(n) } });
const reorder = (...ns: number[]): RulesCommand => ({
  type: 'ReorderRules',
  data: { ruleIds: ns.map(ruleId) },
});
const three = [added(1, aRule(1), 0), added(2, aRule(2), 1), added(3, aRule(3), 2)];
const order = (state: RulesState): string[] => state.rules.map(({ id }) => id);

describe('rules: adding', () => {
  it('puts a rule last', () => {
    given(decider)
      .when(add(aRule(1)))
      .then(added(1, aRule(1), 0));
    given(decider, ...three)
      .when(add(aRule(4), 3))
      .then(added(4, aRule(4), 3));
  });
  it('puts a rule into its place', () => {
    given(decider, ...three)
      .when(add(aRule(4), 1))
      .then(added(4, aRule(4), 3), reordered(5, 1, 4, 2, 3));
    expect(order(stateOf(decider, ...three, added(4, aRule(4), 3), reordered(5, 1, 4, 2, 3)))).to.deep.equal(
      [1, 4, 2, 3].map(ruleId),
    );
  });
  it('happens once', () =>
    given(decider, ...three)
      .when(add(aRule(2)))
      .thenNothing());
  it('ends at a thousand', () => {
    const full = Array.from({ length: MAX_RULES }, (_, n) => added(n + 1, aRule(n), n));
    given(decider, ...full)
      .when(add(aRule(MAX_RULES)))
      .thenThrows('too_many_rules');
    given(decider, ...full)
      .when(add(aRule(0)))
      .thenNothing();
  });
  it('does not bring back what was removed since', () =>
    given(decider, ...three, removed(4, 2))
      .when(add(aRule(2)))
      .thenThrows('not_found'));
  it('keeps brands by the words that decisions go by', () => {
    const written = { conditions: { card_brand: ['american_express', 'Amex', 'Master Card', 'unknown'] } };
    const kept = { conditions: { card_brand: ['amex', 'mastercard', 'unknown'] } };
    given(decider)
      .when(add(aRule(1, written)))
      .then(added(1, aRule(1, kept), 0));
    given(decider, added(1, aRule(1), 0))
      .when(change(aRule(1, written)))
      .then(changed(2, aRule(1, kept)));
    given(decider, added(1, aRule(1, kept), 0))
      .when(change(aRule(1, written)))
      .thenNothing();
  });
  it('leaves rules of before as they are, whatever their brands', () => {
    const before = { conditions: { card_brand: ['american_express', 'elo'] } };
    given(decider, added(1, aRule(1, before), 0))
      .when(enable(1, false))
      .then(changed(2, aRule(1, { ...before, enabled: false })));
  });
  it('refuses what contradicts itself', () =>
    given(decider)
      .when(add(aRule(1, { actions: { skip_retries: true, delay_minutes: 5 } })))
      .thenThrows('validation_failed'));
});

describe('rules: changing', () => {
  const next = aRule(2, { name: 'Another name' });
  it('replaces the rule in its place', () => {
    given(decider, ...three)
      .when(change(next))
      .then(changed(4, next));
    const { rules, version } = stateOf(decider, ...three, changed(4, next));
    expect({ rules, version }).to.deep.equal({ rules: [aRule(1), next, aRule(3)], version: 4 });
  });
  it('does nothing twice', () =>
    given(decider, ...three, changed(4, next))
      .when(change(aRule(2, { name: 'Another name' })))
      .thenNothing());
  it('refuses what is not there, and what contradicts itself', () => {
    given(decider, ...three)
      .when(change(aRule(9)))
      .thenThrows('not_found');
    given(decider, ...three)
      .when(change(aRule(2, { conditions: { attempt: { at_least: 3, at_most: 2 } } })))
      .thenThrows('validation_failed');
  });
  it('switches a rule off and on', () => {
    const off = aRule(1, { enabled: false });
    given(decider, ...three)
      .when(enable(1, false))
      .then(changed(4, off));
    given(decider, ...three)
      .when(enable(1, true))
      .thenNothing();
    given(decider, ...three, changed(4, off))
      .when(enable(1, true))
      .then(changed(5, aRule(1)));
    given(decider, ...three)
      .when(enable(9, true))
      .thenThrows('not_found');
  });
});

describe('rules: removing', () => {
  it('takes a rule out, once', () => {
    given(decider, ...three)
      .when(remove(2))
      .then(removed(4, 2));
    given(decider, ...three, removed(4, 2))
      .when(remove(2))
      .thenThrows('not_found');
    expect(order(stateOf(decider, ...three, removed(4, 2)))).to.deep.equal([1, 3].map(ruleId));
  });
});

describe('rules: ordering', () => {
  it('takes every rule into the order given', () => {
    given(decider, ...three)
      .when(reorder(3, 1, 2))
      .then(reordered(4, 3, 1, 2));
    given(decider, ...three, reordered(4, 3, 1, 2))
      .when(reorder(3, 1, 2))
      .thenNothing();
    given(decider).when(reorder()).thenNothing();
  });
  it('refuses anything but every rule once, and says where', () => {
    const pointersOf = (...ns: number[]) => {
      try {
        decider.decide(reorder(...ns), stateOf(decider, ...three));
      } catch (error) {
        if (isDomainError(error)) return error.errors.map(({ pointer }) => pointer);
      }
      return 'not refused';
    };
    expect(pointersOf(1, 2)).to.deep.equal(['/rule_ids']);
    expect(pointersOf(1, 2, 2, 3)).to.deep.equal(['/rule_ids/2']);
    expect(pointersOf(1, 9, 3)).to.deep.equal(['/rule_ids/1', '/rule_ids']);
  });
});

describe('rules: versions', () => {
  const at = (command: RulesCommand, expectedVersion: number) =>
    ({ ...command, data: { ...command.data, expectedVersion } }) as RulesCommand;
  it('refuse a change made from another one', () => {
    given(decider, ...three)
      .when(at(remove(1), 3))
      .then(removed(4, 1));
    for (const version of [2, 4])
      given(decider, ...three)
        .when(at(remove(1), version))
        .thenThrows('version_mismatch');
  });
  it('let pass what has happened already', () => {
    given(decider, ...three)
      .when(at(add(aRule(3)), 2))
      .thenNothing();
    given(decider, ...three, reordered(4, 3, 1, 2))
      .when(at(reorder(3, 1, 2), 3))
      .thenNothing();
  });
});

describe('rules: properties', () => {
  const anyN = fc.nat(6);
  const anyRule = fc
    .tuple(anyN, fc.constantFrom('a', 'b'), fc.boolean())
    .map(([n, name, enabled]) => aRule(n, { name, enabled }));
  const anyCommand: fc.Arbitrary<RulesCommand> = fc.oneof(
    fc.tuple(anyRule, fc.option(anyN, { nil: undefined })).map(([rule, position]) => add(rule, position)),
    anyRule.map(change),
    fc.tuple(anyN, fc.boolean()).map(([n, enabled]) => enable(n, enabled)),
    anyN.map(remove),
    fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6]).map((ns) => reorder(...ns)),
  );

  it('count every change, keep ids apart, and lose no rule but by its removal', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40, size: 'max' }), (commands) => {
        let state = decider.initialState;
        for (const command of commands) {
          const before = state;
          try {
            const events = decider.decide(command, state);
            events.forEach((event) => assertValid(event.type, event.data));
            events.forEach((event, index) => expect(event.data.version).to.equal(before.version + index + 1));
            state = events.reduce(decider.evolve, state);
            expect(state.version).to.equal(before.version + events.length);
          } catch (error) {
            if (!isDomainError(error)) throw error;
          }
          expect(new Set(order(state)).size).to.equal(state.rules.length);
          const lost = order(before).filter((id) => !order(state).includes(id));
          expect(lost.length).to.be.at.most(command.type === 'RemoveRule' ? 1 : 0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
