import { expect } from 'chai';
import fc from 'fast-check';
import { given, numbered, recorded, rowsOf } from '../../../test/support/projectionSpec.js';
import { aRule, ruleId } from '../../../test/support/ruleSamples.js';
import { type Rule, type RuleEvent, rulesStream } from '../../events/rules.js';
import { rules, type RuleRow } from './projection.js';

const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
const at = '2026-03-01T10:00:00.000Z';
const event = ({ type, data }: RuleEvent) =>
  recorded(rulesStream(ORG), type, data, { org_id: ORG, occurred_at: at });
const added = (version: number, rule: Rule, position: number) =>
  event({ type: 'RuleAdded', data: { version, rule, position } });
const removed = (version: number, rule_id: string) =>
  event({ type: 'RuleRemoved', data: { version, rule_id } });
const reordered = (version: number, rule_ids: string[]) =>
  event({ type: 'RulesReordered', data: { version, rule_ids } });

describe('rules read model', () => {
  it('keeps a rule as it is now, and the version of the set', () => {
    const next = aRule(1, { enabled: false });
    const spec = given(
      rules,
      added(1, aRule(1), 0),
      added(2, aRule(2), 1),
      event({ type: 'RuleChanged', data: { version: 3, rule: next } }),
    );
    const row = { key: ruleId(1), org_id: ORG, version: 3, placed_at: 1, place: 0, rule: next };
    spec.thenRow(ruleId(1), row);
    spec.thenRow(ruleId(2), { version: 2, placed_at: 2, place: 1 });
    spec.thenRow(ORG, { key: ORG, org_id: ORG, version: 3, rule: null });
    spec.thenRows(3);
  });

  it('forgets a rule that was removed, not that there was a version', () => {
    const spec = given(rules, added(1, aRule(1), 0), removed(2, ruleId(1)));
    spec.thenNoRow(ruleId(1));
    spec.thenRow(ORG, { version: 2 });
  });

  it('keeps the order, whatever is added, removed and moved', () => {
    const step = fc.oneof(
      fc.constant('add' as const),
      fc.nat(9).map((index) => ({ remove: index })),
      fc.array(fc.nat(), { minLength: 10, maxLength: 10 }).map((weights) => ({ order: weights })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        let order: string[] = [];
        const events = steps.flatMap((one, index) => {
          const version = index + 1;
          if (one === 'add') {
            order = [...order, ruleId(index)];
            return [added(version, aRule(index), order.length - 1)];
          }
          if ('remove' in one) {
            const id = order[one.remove];
            if (id === undefined) return [];
            order = order.filter((other) => other !== id);
            return [removed(version, id)];
          }
          const weight = (id: string) => one.order[Number(id.slice(-12)) % 10] ?? 0;
          order = [...order].sort((a, b) => weight(a) - weight(b));
          return [reordered(version, order)];
        });
        const rows = [...rowsOf(rules, numbered(events)).values()] as unknown as RuleRow[];
        const listed = rows
          .filter(({ rule }) => rule !== null)
          .sort((a, b) => a.placed_at - b.placed_at || a.place - b.place);
        expect(listed.map(({ key }) => key)).to.deep.equal(order);
      }),
      { numRuns: 200 },
    );
  });
});
