import type { Rule } from '../../events/rules.js';
import type { Db } from '../../kernel/db.js';
import { selectOf } from '../read.js';
import { type RuleRow, rules } from './projection.js';

type Listed = Pick<RuleRow, 'key' | 'version' | 'rule'>;

/** The organization's rules in their order, with the version they make up: all of one moment. */
export const listRules = async (
  db: Db,
  { orgId }: { orgId: string },
): Promise<{ readonly version: number; readonly rules: readonly Rule[] }> => {
  const select = 'key, version, rule';
  const rest = 'ORDER BY placed_at, place';
  const rows = (await selectOf(db, rules.table, { orgId, select, rest, values: [] })) as unknown as Listed[];
  return {
    version: rows.find(({ key }) => key === orgId)?.version ?? 0,
    rules: rows.flatMap(({ rule }) => rule ?? []),
  };
};
