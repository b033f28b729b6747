import { changeUser } from '../../commands/user/changeUser.js';
import { createUser } from '../../commands/user/createUser.js';
import { users } from '../../projections/users/projection.js';
import { listUsers } from '../../projections/users/queries.js';
import { commandContextOf } from '../commandContext.js';
import { userRowView, userView } from '../identityViews.js';
import { pageArgs, toList } from '../paging.js';
import { ok, type Route, route } from '../route.js';
import { closed, IdParams, pageQuery } from '../schemas/common.js';
import { ChangeUserBody, CreateUserBody, UserListSchema, UserSchema } from '../schemas/identity.js';

const tag = 'Users';

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
      const { deps, body } = context;
      const { full_name: fullName, ...input } = body;
      const user = { ...input, ...(fullName !== undefined && { fullName }) };
      const created = await createUser(deps.identity, user, commandContextOf(context));
      return { status: 201, body: userView(created.user), position: created.position };
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
      ok(toList(await listUsers(deps.db, pageArgs(principal, query)), userRowView)),
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
    refusals: ['not_found', 'last_admin', 'version_conflict'],
    handler: async (context) => {
      const { deps, params, body } = context;
      const { role, is_active: isActive } = body;
      const change = { ...(role && { role }), ...(isActive !== undefined && { isActive }) };
      const input = { userId: params.id, ...change };
      const { user, position } = await changeUser(deps.identity, input, commandContextOf(context));
      return ok(userView(user), position);
    },
  }),
];
