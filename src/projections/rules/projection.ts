import type { FactOf } from '../../events/envelope.js';
import type { Rule, RuleEvent } from '../../events/rules.js';
import type { Draft, Projection } from '../engine/projection.js';
import { foldOf, idIn } from '../fold.js';

export type RuleRow = Readonly<{
  /** The rule's id; the organization's for the row that tells the version of its whole set. */
  key: string;
  org_id: string;
  /** Of the set when the rule was last changed; of the set itself in the organization's row. */
  version: number;
  /** The version that put the rule into its place, … */
  placed_at: number;
  /** … and the place it got: both together order the rules, as a new one always comes last. */
  place: number;
  /** Null in the organization's row. */
  rule: Rule | null;
}>;

type Event<T extends RuleEvent['type']> = FactOf<Extract<RuleEvent, { type: T }>>;

/** The rows of the rules that an event touches, beside the organization's. */
const touched = ({ type, data }: RuleEvent): readonly string[] => {
  switch (type) {
    case 'RuleAdded':
    case 'RuleChanged':
      return [data.rule.id];
    case 'RuleRemoved':
      return [data.rule_id];
    case 'RulesReordered':
      return data.rule_ids;
    default:
      return type satisfies never;
  }
};

/** Every event moves the version of the set on; what it does to a rule's row is the fold's. */
const rowOf =
  <T extends RuleEvent['type']>(fold: (row: Draft<RuleRow>, event: Event<T>) => RuleRow | null) =>
  (event: Event<T>, key: string, row: Draft<RuleRow> | undefined): RuleRow | null => {
    const orgId = idIn(event.stream);
    const { version } = event.data;
    const draft = row ?? { key, org_id: orgId, version, placed_at: 0, place: 0, rule: null };
    if (key !== orgId) return fold(draft, event);
    draft.version = version;
    return draft;
  };

const written = (row: Draft<RuleRow>, event: Event<'RuleAdded'> | Event<'RuleChanged'>): Draft<RuleRow> => {
  row.version = event.data.version;
  row.rule = event.data.rule;
  return row;
};

/** The rules of every organization, and the version that its set has come to. */
export const rules: Projection<RuleRow> = {
  version: 1,
  table: {
    name: 'rules',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      version: 'integer',
      placed_at: 'integer',
      place: 'integer',
      rule: 'jsonb',
    },
    indexes: [['org_id']],
  },
  keysOf: (event) => [idIn(event.stream), ...touched({ type: event.type, data: event.data } as RuleEvent)],
  ...foldOf<RuleRow, RuleEvent>(
    {
      RuleAdded: rowOf<'RuleAdded'>((row, event) => {
        row.placed_at = event.data.version;
        row.place = event.data.position;
        return written(row, event);
      }),
      RuleChanged: rowOf<'RuleChanged'>(written),
      RuleRemoved: rowOf<'RuleRemoved'>(() => null),
      RulesReordered: rowOf<'RulesReordered'>((row, { data }) => {
        row.placed_at = data.version;
        row.place = data.rule_ids.indexOf(row.key);
        return row;
      }),
    },
    {},
  ),
};
