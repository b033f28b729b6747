import { DomainError } from '../kernel/errors.js';
import type { Session } from './auth/sessions.js';
import type { Dependencies } from './dependencies.js';

/**
 * A row as it was known at an instant: what those who examine may see, nobody else.
 * @throws DomainError `forbidden`
 */
export const rowAt = async <R>(
  deps: Pick<Dependencies, 'rowAsOf'>,
  projection: 'recoveries' | 'payments',
  { orgId, role }: Session,
  id: string,
  at: string,
): Promise<R | undefined> => {
  if (role !== 'admin' && role !== 'auditor')
    throw new DomainError('forbidden', 'as_of needs one of the roles admin, auditor');
  return (await deps.rowAsOf(projection, id, orgId, new Date(at).toISOString())) as R | undefined;
};
