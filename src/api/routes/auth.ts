import { roles } from '../../kernel/principal.js';
import { commandContextOf, openContextOf } from '../commandContext.js';
import type { LoggedIn } from '../identity.js';
import { ok, type Reply, type Route, route } from '../route.js';
import {
  LoginBody,
  OrganizationSchema,
  PasswordBody,
  RegisterBody,
  SessionSchema,
  UserSchema,
} from '../schemas/identity.js';

const tag = 'Login';

const session = (status: number, loggedIn: LoggedIn): Reply => ({
  status,
  body: {
    access_token: loggedIn.accessToken,
    token_type: 'bearer',
    expires_in: loggedIn.expiresIn,
    user: loggedIn.user,
    organization: loggedIn.organization,
  },
  headers: { 'Cache-Control': 'no-store' },
  position: loggedIn.position,
});

export const authRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/v1/auth/register',
    operationId: 'register',
    tag,
    summary: 'Register an organization and its first admin',
    access: 'public',
    body: RegisterBody,
    responses: { 201: { description: 'Registered and logged in', schema: SessionSchema } },
    refusals: ['email_taken', 'slug_taken', 'too_busy'],
    handler: async (context) =>
      session(201, await context.deps.identity.register(context.body, openContextOf(context))),
  }),
  route({
    method: 'post',
    path: '/v1/auth/login',
    operationId: 'login',
    tag,
    summary: 'Log in',
    description: 'A wrong password, an unknown address and a deactivated user are answered alike.',
    access: 'public',
    body: LoginBody,
    responses: { 200: { description: 'Logged in', schema: SessionSchema } },
    refusals: ['invalid_credentials', 'too_busy'],
    handler: async (context) =>
      session(200, await context.deps.identity.login(context.body, openContextOf(context))),
  }),
  route({
    method: 'post',
    path: '/v1/auth/password',
    operationId: 'changePassword',
    tag,
    summary: 'Change the own password',
    description: 'Every token given out before stops working at once.',
    access: roles,
    body: PasswordBody,
    responses: { 204: { description: 'Changed' } },
    refusals: ['invalid_credentials', 'too_busy'],
    handler: async (context) => {
      const position = await context.deps.identity.changePassword(context.body, commandContextOf(context));
      return { status: 204, position };
    },
  }),
  route({
    method: 'get',
    path: '/v1/auth/me',
    operationId: 'me',
    tag,
    summary: 'The logged-in user',
    access: roles,
    responses: { 200: { description: 'The user', schema: UserSchema } },
    handler: async ({ deps, principal }) => ok(await deps.identity.me(principal)),
  }),
  route({
    method: 'get',
    path: '/v1/auth/org',
    operationId: 'organization',
    tag,
    summary: "The logged-in user's organization",
    access: roles,
    responses: { 200: { description: 'The organization', schema: OrganizationSchema } },
    handler: async ({ deps, principal }) => ok(await deps.identity.organization(principal.orgId)),
  }),
];
