import { changePassword } from '../../commands/user/changePassword.js';
import { login } from '../../commands/user/login.js';
import { asOrganization, loadOrganization, type MemberResult } from '../../commands/user/member.js';
import { registerOrganization } from '../../commands/user/register.js';
import { roles } from '../../kernel/principal.js';
import { commandContextOf, openContextOf } from '../commandContext.js';
import type { Tokens } from '../auth/tokens.js';
import { organizationView, userView } from '../identityViews.js';
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

const session = (status: number, tokens: Tokens, { user, organization, position }: MemberResult): Reply => ({
  status,
  body: {
    ...tokens.issue(user),
    user: userView(user),
    organization: organizationView(organization),
  },
  headers: { 'Cache-Control': 'no-store' },
  position,
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
    handler: async (context) => {
      const { deps, body } = context;
      const { email, password, full_name: fullName, org_name: orgName, org_slug: orgSlug } = body;
      const input = { email, password, ...(fullName !== undefined && { fullName }), orgName, orgSlug };
      return session(
        201,
        deps.tokens,
        await registerOrganization(deps.identity, input, openContextOf(context)),
      );
    },
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
    handler: async (context) => {
      const { deps, body } = context;
      return session(200, deps.tokens, await login(deps.identity, body, openContextOf(context)));
    },
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
      const { deps, body } = context;
      const input = { current: body.current_password, next: body.new_password };
      const { position } = await changePassword(deps.identity, input, commandContextOf(context));
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
    handler: ({ principal }) => ok(userView(principal.user)),
  }),
  route({
    method: 'get',
    path: '/v1/auth/org',
    operationId: 'organization',
    tag,
    summary: "The logged-in user's organization",
    access: roles,
    responses: { 200: { description: 'The organization', schema: OrganizationSchema } },
    refusals: ['not_found'],
    handler: async ({ deps, principal: { orgId } }) => {
      const { state } = await loadOrganization(deps.store, orgId);
      return ok(organizationView(asOrganization(orgId, state)));
    },
  }),
];
