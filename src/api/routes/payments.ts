import { Type } from 'typebox';
import { roles } from '../../kernel/principal.js';
import { type PaymentRow, payments } from '../../projections/payments/projection.js';
import { getPayment, listPayments } from '../../projections/payments/queries.js';
import { rowAt } from '../asOf.js';
import { found, pageArgs, toList, utc } from '../paging.js';
import { ok, type Route, route } from '../route.js';
import { closed, enumOf, IdParams, pageQuery, periodQuery, Timestamp } from '../schemas/common.js';
import { PaymentListSchema, PaymentSchema, paymentStatuses } from '../schemas/payments.js';

const tag = 'Payments';

const toView = ({ key, org_id: _, ...row }: PaymentRow) => ({ id: key, ...row });

export const paymentRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/payments',
    operationId: 'listPayments',
    tag,
    summary: 'Payments, the one reported last first',
    access: roles,
    query: closed({
      ...pageQuery,
      ...periodQuery,
      status: Type.Optional(enumOf(paymentStatuses)),
      transaction_ref: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    }),
    reads: payments.table.name,
    responses: { 200: { description: 'A page of payments', schema: PaymentListSchema } },
    handler: async ({ deps, principal, query }) => {
      const { status, from, to, transaction_ref: transactionRef } = query;
      const filter = { status, from: utc(from), to: utc(to), transactionRef };
      return ok(toList(await listPayments(deps.db, { ...pageArgs(principal, query), ...filter }), toView));
    },
  }),
  route({
    method: 'get',
    path: '/v1/payments/{id}',
    operationId: 'getPayment',
    tag,
    summary: 'A payment; for admins and auditors also as it was known at an instant',
    access: roles,
    params: IdParams,
    query: closed({ as_of: Type.Optional(Timestamp) }),
    reads: payments.table.name,
    responses: { 200: { description: 'The payment', schema: PaymentSchema } },
    refusals: ['not_found'],
    handler: async ({ deps, principal, params: { id }, query: { as_of } }) => {
      const row =
        as_of === undefined
          ? await getPayment(deps.db, { orgId: principal.orgId, id })
          : await rowAt<PaymentRow>(deps, 'payments', principal, id, as_of);
      return ok(toView(found(row, 'payment')));
    },
  }),
];
