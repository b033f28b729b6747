import type { UserId } from '../../kernel/ids.js';
import { type UserRow, users } from '../../projections/users/projection.js';
import { listUsers } from '../../projections/users/queries.js';
import { commandContextOf } from '../commandContext.js';
import type { UserView } from '../identity.js';
import { pageArgs, toList } from '../paging.js';
import { ok, type Route, route } from '../route.js';
import { closed, IdParams, pageQuery } from '../schemas/common.js';
import { ChangeUserBody, CreateUserBody, UserListSchema, UserSchema } from '../schemas/identity.js';

const tag = 'Users';

const toView = ({ key, org_id, email, full_name, role, is_active }: UserRow): UserView => ({
  id: key,
  email,
  full_name,
  role,
  is_active,
  org_id,
});

export const userRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/users',
    operationId: 'createUser',
    tag,
    summary: 'Add a user to the organization',
    access: ['admin'],
    body: CreateUserBody,
    responses: { 201: { description: 'Added', schema: UserSchema } },
    refusals: ['email_taken', 'too_busy'],
    handler: async (context) => {
      const { user, position } = await context.deps.identity.createUser(
        context.body,
        commandContextOf(context),
      );
      return { status: 201, body: user, position };
    },
  }),
  route({
    method: 'get',
    path: '/v1/users',
    operationId: 'listUsers',
    tag,
    summary: "The organization's users, the newest first",
    access: ['admin', 'auditor'],
    query: closed(pageQuery),
    reads: users.table.name,
    responses: { 200: { description: 'A page of users', schema: UserListSchema } },
    handler: async ({ deps, principal, query }) =>
      ok(toList(await listUsers(deps.db, pageArgs(principal, query)), toView)),
  }),
  route({
    method: 'patch',
    path: '/v1/users/{id}',
    operationId: 'changeUser',
    tag,
    summary: "Change a user's role, deactivate or reactivate them",
    description: "The user's tokens stop working at once. One active admin always remains.",
    access: ['admin'],
    params: IdParams,
    body: ChangeUserBody,
    responses: { 200: { description: 'Changed', schema: UserSchema } },
    refusals: ['not_found', 'last_admin'],
    handler: async (context) => {
      const id = context.params.id as UserId;
      const { user, position } = await context.deps.identity.changeUser(
        id,
        context.body,
        commandContextOf(context),
      );
      return ok(user, position);
    },
  }),
];
