import { type UserEvent, userStream } from '../../events/user.js';
import type { Role } from '../../kernel/principal.js';
import type { Projection } from '../engine/projection.js';
import { foldOf, instant, keyOfStream } from '../fold.js';

export type UserRow = Readonly<{
  /** The user's id. */
  key: string;
  org_id: string;
  email: string;
  full_name: string | null;
  role: Role;
  is_active: boolean;
  created_at: string;
  last_login_at: string | null;
}>;

/** Users by id; one whose registration was given up leaves no row. */
export const users: Projection<UserRow> = {
  version: 1,
  table: {
    name: 'users',
    columns: {
      key: 'uuid',
      org_id: 'uuid',
      email: 'text',
      full_name: 'text',
      role: 'text',
      is_active: 'boolean',
      created_at: 'timestamptz',
      last_login_at: 'timestamptz',
    },
    indexes: [['org_id', 'created_at', 'key']],
  },
  keysOf: keyOfStream,
  streamOf: userStream,
  ...foldOf<UserRow, UserEvent>(
    {
      // After a release the same person may found or join another organization: a fresh row.
      UserRegistered: ({ data }, key) => ({
        key,
        org_id: data.org_id,
        email: data.email,
        full_name: data.full_name ?? null,
        role: data.role,
        is_active: true,
        created_at: instant(data.registered_at),
        last_login_at: null,
      }),
    },
    {
      UserReleased: () => null,
      UserRoleChanged: (row, { data }) => ({ ...row, role: data.role }),
      UserDeactivated: (row) => ({ ...row, is_active: false }),
      UserReactivated: (row) => ({ ...row, is_active: true }),
      UserLoggedIn: (row, { data }) => ({ ...row, last_login_at: instant(data.logged_in_at) }),
    },
  ),
};
