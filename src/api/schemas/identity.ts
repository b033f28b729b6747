import { Type } from 'typebox';
import { Email, PERSONAL, PersonName } from '../../events/schema.js';
import { roles } from '../../kernel/principal.js';
import { closed, enumOf, listOf, named, nullable, Uuid } from './common.js';

/** Long enough to resist guessing; the upper bound only keeps hashing cheap. */
const NewPassword = Type.String({ minLength: 12, maxLength: 200, ...PERSONAL });
/** What somebody typed: any length is compared, so that the answer tells nothing of the rules. */
const TypedPassword = Type.String({ minLength: 1, maxLength: 1000, ...PERSONAL });
const RoleSchema = enumOf(roles);

export const RegisterBody = closed({
  email: Email,
  password: NewPassword,
  full_name: Type.Optional(PersonName),
  org_name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S', description: 'some visible text' }),
  org_slug: Type.String({
    pattern: '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$',
    description: '1 to 63 lower-case letters, digits and inner hyphens',
  }),
});
export const LoginBody = closed({
  email: Type.String({ minLength: 1, maxLength: 254, ...PERSONAL }),
  password: TypedPassword,
});
export const PasswordBody = closed({ current_password: TypedPassword, new_password: NewPassword });
export const CreateUserBody = closed({
  email: Email,
  password: NewPassword,
  full_name: Type.Optional(PersonName),
  role: RoleSchema,
});
export const ChangeUserBody = Type.Object(
  { role: Type.Optional(RoleSchema), is_active: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 },
);

export const UserSchema = named('User', {
  id: Uuid,
  email: Type.String(PERSONAL),
  full_name: nullable(Type.String(PERSONAL)),
  role: RoleSchema,
  is_active: Type.Boolean(),
  org_id: Uuid,
});
export const OrganizationSchema = named('Organization', {
  id: Uuid,
  name: Type.String(),
  slug: Type.String(),
  is_active: Type.Boolean(),
});
export const SessionSchema = named('Session', {
  access_token: Type.String(),
  token_type: enumOf(['bearer']),
  expires_in: Type.Integer({ description: 'Seconds' }),
  user: UserSchema,
  organization: OrganizationSchema,
});
export const UserListSchema = listOf('UserList', UserSchema);
