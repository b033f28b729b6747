import { userStream } from '../../events/user.js';
import { given, recorded } from '../../../test/support/projectionSpec.js';
import { users } from './projection.js';

const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
const OTHER = '5f0c1c9e-0000-4000-8000-000000000002';
const USER = '5f0c1c9e-0000-4000-8000-0000000000cc';
const at = '2026-03-01T10:00:00.000Z';
const event = (type: string, data: object, org_id = ORG) =>
  recorded(userStream(USER), type, data, { org_id, occurred_at: at });
const registered = (org_id = ORG, name: object = { full_name: 'Ann' }) =>
  event(
    'UserRegistered',
    { org_id, email: 'ann@example.com', ...name, role: 'user', credential_id: USER, registered_at: at },
    org_id,
  );

describe('users', () => {
  it('shows a registered one', () =>
    given(users, registered(ORG, {})).thenRow(USER, {
      key: USER,
      org_id: ORG,
      email: 'ann@example.com',
      full_name: null,
      role: 'user',
      is_active: true,
      created_at: at,
      last_login_at: null,
    }));

  it('follows the role', () =>
    given(users, registered(), event('UserRoleChanged', { role: 'admin', previous_role: 'user' })).thenRow(
      USER,
      {
        role: 'admin',
        full_name: 'Ann',
      },
    ));

  it('follows deactivation and reactivation', () => {
    given(users, registered(), event('UserDeactivated', {})).thenRow(USER, { is_active: false });
    given(users, registered(), event('UserDeactivated', {}), event('UserReactivated', {})).thenRow(USER, {
      is_active: true,
    });
  });

  it('tells the last login', () =>
    given(users, registered(), event('UserLoggedIn', { logged_in_at: '2026-03-02T08:00:00Z' })).thenRow(
      USER,
      {
        last_login_at: '2026-03-02T08:00:00.000Z',
      },
    ));

  it('forgets a released one, who may join another organization', () => {
    const released = event('UserReleased', { reason: 'slug_taken' });
    given(users, registered(), released).thenNoRow(USER);
    given(users, registered(), released, registered(OTHER)).thenRow(USER, { org_id: OTHER, is_active: true });
  });
});
