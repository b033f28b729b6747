import { asOf } from '../projections/engine/asOf.js';
import { type AnyProjection, type Model, modelOf } from '../projections/engine/fold.js';
import { payments } from '../projections/payments/projection.js';
import { recoveries } from '../projections/recoveries/projection.js';
import { DomainError } from '../kernel/errors.js';
import type { Session } from './auth/sessions.js';
import type { Dependencies } from './dependencies.js';

const models = {
  payments: modelOf(payments as AnyProjection),
  recoveries: modelOf(recoveries as AnyProjection),
} as const satisfies Readonly<Record<string, Model>>;

/**
 * A row as it was known at an instant, for those who examine and for nobody else; undefined when there was none, or
 * when it is another organization's.
 * @throws DomainError `forbidden`
 */
export const rowAt = async <R>(
  { store }: Pick<Dependencies, 'store'>,
  projection: keyof typeof models,
  { orgId, role }: Session,
  id: string,
  at: string,
): Promise<R | undefined> => {
  if (role !== 'admin' && role !== 'auditor')
    throw new DomainError('forbidden', 'as_of needs one of the roles admin, auditor');
  const row = await asOf(store, models[projection], id, { instant: at });
  return row?.org_id === orgId ? (row as unknown as R) : undefined;
};
