import type { Db } from '../../kernel/db.js';
import { rowById } from '../read.js';
import { type OrganizationRow, organizations } from './projection.js';

const byId = rowById<OrganizationRow>(organizations.table);

export const getOrganization = (db: Db, { orgId }: { orgId: string }): Promise<OrganizationRow | undefined> =>
  byId(db, { orgId, id: orgId });
