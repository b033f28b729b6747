import { Type } from 'typebox';
import { cancelRecovery } from '../../commands/recovery/cancel.js';
import type { RecoveryId } from '../../kernel/ids.js';
import { roles } from '../../kernel/principal.js';
import { recoveries } from '../../projections/recoveries/projection.js';
import { getRecovery, listRecoveries } from '../../projections/recoveries/queries.js';
import type { RecoveryRow } from '../../projections/recoveries/row.js';
import { rowAt } from '../asOf.js';
import { explainRecovery } from '../../projections/recoveries/explanation.js';
import { commandContextOf } from '../commandContext.js';
import { found, pageArgs, toList, utc } from '../paging.js';
import { ok, type Route, route } from '../route.js';
import { closed, enumOf, IdParams, pageQuery, periodQuery, Timestamp } from '../schemas/common.js';
import {
  CancelBody,
  CancelledSchema,
  ExplanationSchema,
  RecoveryListSchema,
  RecoverySchema,
  recoveryStatuses,
} from '../schemas/recoveries.js';

const tag = 'Recoveries';

const toView = ({ key, org_id: _, revision: _r, position: _p, escalated: _e, ...row }: RecoveryRow) => ({
  id: key,
  ...row,
});

export const recoveryRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/recoveries/{id}',
    operationId: 'getRecovery',
    tag,
    summary: 'A recovery; for admins and auditors also as it was known at an instant',
    access: roles,
    params: IdParams,
    query: closed({ as_of: Type.Optional(Timestamp) }),
    reads: recoveries.table.name,
    responses: { 200: { description: 'The recovery', schema: RecoverySchema } },
    refusals: ['not_found'],
    handler: async ({ deps, principal, params: { id }, query: { as_of } }) => {
      const row =
        as_of === undefined
          ? await getRecovery(deps.db, { orgId: principal.orgId, id })
          : await rowAt<RecoveryRow>(deps, 'recoveries', principal, id, as_of);
      return ok(toView(found(row, 'recovery')));
    },
  }),
  route({
    method: 'get',
    path: '/v1/recoveries',
    operationId: 'listRecoveries',
    tag,
    summary: 'Recoveries, the one opened last first',
    access: roles,
    query: closed({
      ...pageQuery,
      ...periodQuery,
      status: Type.Optional(enumOf(recoveryStatuses)),
      transaction_ref: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      escalated: Type.Optional(enumOf(['true', 'false'])),
    }),
    reads: recoveries.table.name,
    responses: { 200: { description: 'A page of recoveries', schema: RecoveryListSchema } },
    handler: async ({ deps, principal, query }) => {
      const { status, from, to, transaction_ref: transactionRef } = query;
      const escalated = query.escalated && query.escalated === 'true';
      const filter = { status, from: utc(from), to: utc(to), transactionRef, escalated };
      return ok(toList(await listRecoveries(deps.db, { ...pageArgs(principal, query), ...filter }), toView));
    },
  }),
  route({
    method: 'post',
    path: '/v1/recoveries/{id}/cancel',
    operationId: 'cancelRecovery',
    tag,
    summary: 'Stop a recovery for good',
    description: 'What is in flight still gets its outcome recorded.',
    access: ['admin', 'user'],
    params: IdParams,
    body: CancelBody,
    bodyOptional: true,
    responses: { 202: { description: 'Cancelled', schema: CancelledSchema } },
    refusals: ['not_found', 'recovery_closed', 'version_conflict'],
    handler: async (context) => {
      const id = context.params.id as RecoveryId;
      const reason = (context.body as { reason?: string } | undefined)?.reason ?? 'cancelled by a user';
      const position = await cancelRecovery(context.deps.store, id, reason, commandContextOf(context));
      return { status: 202, body: { recovery_id: id }, position };
    },
  }),
  route({
    method: 'get',
    path: '/v1/recoveries/{id}/explanation',
    operationId: 'explainRecovery',
    tag,
    summary: 'Every decision of a recovery with its evidence, in order',
    access: roles,
    params: IdParams,
    responses: { 200: { description: 'The decisions', schema: ExplanationSchema } },
    refusals: ['not_found'],
    handler: async ({ deps, principal, params }) =>
      ok(found(await explainRecovery(deps.store, params.id, principal.orgId), 'recovery')),
  }),
];
