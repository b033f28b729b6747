import type { Db } from '../../kernel/db.js';

export interface UnmappedCode {
  readonly field: string;
  readonly value: string;
  readonly brand: string;
  readonly count: number;
  readonly organizations: number;
  readonly first_seen: string;
  readonly last_seen: string;
  /** One that it was seen in. */
  readonly recovery_id: string;
}

/** For the operator, who adds to the tables what several merchants meet: no tenant asks this. */
const UNMAPPED = `
  SELECT field, value, brand, sum(count)::bigint AS count, count(*)::bigint AS organizations,
         min(first_seen) AS first_seen, max(last_seen) AS last_seen, min(recovery_id::text) AS recovery_id
    FROM unmapped_codes
   WHERE $1::uuid IS NULL OR org_id = $1
   GROUP BY field, value, brand
   ORDER BY sum(count) DESC, field, value, brand
   LIMIT $2`;

/** The codes that no table knew, the most frequent first. @param orgId default: across organizations */
export const listUnmapped = async (
  db: Db,
  { orgId, limit }: { readonly orgId?: string | undefined; readonly limit: number },
): Promise<readonly UnmappedCode[]> => {
  const { rows } = await db.query<
    Omit<UnmappedCode, 'count' | 'organizations'> & Record<'count' | 'organizations', string>
  >(UNMAPPED, [orgId ?? null, limit]);
  return rows.map((row) => ({ ...row, count: Number(row.count), organizations: Number(row.organizations) }));
};
