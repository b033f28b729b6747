import type { Db } from '../../kernel/db.js';
import { type Page, type PageArgs, pageOf } from '../read.js';
import { retryPolicies, type RetryPolicyRow } from './projection.js';

const page = pageOf<RetryPolicyRow>(retryPolicies.table, 'version');

/** The organization's newest policy; undefined while it never set one. */
export const getActivePolicy = async (
  db: Db,
  { orgId }: { orgId: string },
): Promise<RetryPolicyRow | undefined> => (await page(db, { orgId, limit: 1 })).rows[0];

/** Every version, the newest first. */
export const listPolicyVersions = (db: Db, args: PageArgs): Promise<Page<RetryPolicyRow>> => page(db, args);
