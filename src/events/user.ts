import { Type } from 'typebox';
import { roles } from '../kernel/principal.js';
import { closed, Code, Email, enumOf, type EventOf, PersonName, Timestamp, Uuid } from './schema.js';

/** Stored format: add, never change; upcast in registry.ts. */
export const userEvents = {
  UserRegistered: closed({
    org_id: Uuid,
    email: Email,
    full_name: Type.Optional(PersonName),
    role: enumOf(roles),
    /** Vault id of the password hash. */
    credential_id: Uuid,
    /** For a founder the instant of the organization's registration it belongs to. */
    registered_at: Timestamp,
    /** The admin who created this user; absent for a founder. */
    invited_by: Type.Optional(Uuid),
  }),
  /** The organization was lost to another founder between the two appends of a registration. */
  UserReleased: closed({ reason: Code }),
  UserRoleChanged: closed({ role: enumOf(roles), previous_role: enumOf(roles) }),
  UserDeactivated: closed({}),
  UserReactivated: closed({}),
  PasswordChanged: closed({ credential_id: Uuid }),
  UserLoggedIn: closed({ logged_in_at: Timestamp }),
  LoginFailed: closed({ failed_at: Timestamp }),
} as const;

export type UserEvent = EventOf<typeof userEvents>;
export const userStream = (id: string) => `user-${id}`;
