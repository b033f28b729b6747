import { expect } from 'chai';
import fc from 'fast-check';
import { assertValid } from '../../events/registry.js';
import type { UserEvent } from '../../events/user.js';
import { isDomainError } from '../../kernel/errors.js';
import type { Role } from '../../kernel/principal.js';
import { given, stateOf } from '../../../test/support/spec.js';
import { type UserCommand, userDecider as decider } from './decide.js';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const registered = (credential: number, org = 1): UserEvent => ({
  type: 'UserRegistered',
  data: {
    org_id: id(org),
    email: 'ann@example.com',
    role: 'user',
    credential_id: id(credential),
    registered_at: at(0),
  },
});
const register = (credential: number): UserCommand => ({
  type: 'RegisterUser',
  data: {
    orgId: id(1),
    email: 'ann@example.com',
    role: 'user',
    credentialId: id(credential),
    registeredAt: at(0),
  },
});
const release = (registration: number): UserCommand => ({
  type: 'ReleaseUser',
  data: { registrationId: id(registration), reason: 'organization_lost' },
});
const released: UserEvent = { type: 'UserReleased', data: { reason: 'organization_lost' } };
const changeRole = (role: Role, expectedVersion = 0): UserCommand => ({
  type: 'ChangeRole',
  data: { role, expectedVersion },
});
const roleChanged = (role: Role, previous: Role): UserEvent => ({
  type: 'UserRoleChanged',
  data: { role, previous_role: previous },
});
const deactivate = (expectedVersion = 0): UserCommand => ({ type: 'Deactivate', data: { expectedVersion } });
const reactivate = (expectedVersion = 0): UserCommand => ({ type: 'Reactivate', data: { expectedVersion } });
const deactivated: UserEvent = { type: 'UserDeactivated', data: {} };
const reactivated: UserEvent = { type: 'UserReactivated', data: {} };
const changePassword = (next: number, verified: number): UserCommand => ({
  type: 'ChangePassword',
  data: { credentialId: id(next), verified: id(verified) },
});
const passwordChanged = (credential: number): UserEvent => ({
  type: 'PasswordChanged',
  data: { credential_id: id(credential) },
});
const login = (minute: number, verified = 1): UserCommand => ({
  type: 'RecordLogin',
  data: { at: at(minute), verified: id(verified) },
});
const loggedIn = (minute: number): UserEvent => ({
  type: 'UserLoggedIn',
  data: { logged_in_at: at(minute) },
});
const fail = (minute: number): UserCommand => ({ type: 'RecordLoginFailure', data: { at: at(minute) } });
const failed = (minute: number): UserEvent => ({ type: 'LoginFailed', data: { failed_at: at(minute) } });

describe('user: registration', () => {
  it('registers', () => given(decider).when(register(1)).then(registered(1)));
  it('registers once by the same credential', () =>
    given(decider, registered(1)).when(register(1)).thenNothing());
  it('refuses a taken address', () =>
    given(decider, registered(1)).when(register(2)).thenThrows('email_taken'));
  it('registers again after a release, and old tokens stay invalid', () => {
    given(decider, registered(1), released).when(register(2)).then(registered(2));
    expect(stateOf(decider, registered(1), released, registered(2)).tokenVersion).to.equal(1);
  });
  it('releases only the registration named, once', () => {
    given(decider, registered(1)).when(release(1)).then(released);
    given(decider, registered(1)).when(release(2)).thenNothing();
    given(decider, registered(1), released).when(release(1)).thenNothing();
  });
});

describe('user: role and activity', () => {
  it('changes the role', () =>
    given(decider, registered(1)).when(changeRole('viewer')).then(roleChanged('viewer', 'user')));
  it('changes the role once', () => given(decider, registered(1)).when(changeRole('user')).thenNothing());
  it('deactivates', () => given(decider, registered(1)).when(deactivate()).then(deactivated));
  it('deactivates once', () => given(decider, registered(1), deactivated).when(deactivate()).thenNothing());
  it('reactivates', () => given(decider, registered(1), deactivated).when(reactivate(1)).then(reactivated));
  it('reactivates once', () => given(decider, registered(1)).when(reactivate()).thenNothing());
  it('refuses a change decided from an older version', () => {
    for (const command of [changeRole('admin', 1), deactivate(1)])
      given(decider, registered(1)).when(command).thenThrows('version_conflict');
    given(decider, registered(1), deactivated).when(reactivate(0)).thenThrows('version_conflict');
  });
  it('renews a role', () =>
    given(decider, registered(1))
      .when({ type: 'ChangeRole', data: { role: 'user', expectedVersion: 0, renew: true } })
      .then(roleChanged('user', 'user')));
  it('knows no user that is absent or released', () => {
    for (const command of [changeRole('admin'), deactivate(), reactivate(), changePassword(2, 1), fail(1)]) {
      given(decider).when(command).thenThrows('not_found');
      given(decider, registered(1), released).when(command).thenThrows('not_found');
    }
  });
});

describe('user: password and login', () => {
  it('changes the password', () =>
    given(decider, registered(1)).when(changePassword(2, 1)).then(passwordChanged(2)));
  it('changes it once', () =>
    given(decider, registered(1), passwordChanged(2)).when(changePassword(2, 1)).thenNothing());
  it('refuses when another password was set since the comparison', () => {
    given(decider, registered(1), passwordChanged(2))
      .when(changePassword(3, 1))
      .thenThrows('invalid_credentials');
    given(decider, registered(1), passwordChanged(2)).when(login(1)).thenThrows('invalid_credentials');
  });
  it('records a login', () => given(decider, registered(1)).when(login(1)).then(loggedIn(1)));
  it('records it once', () => given(decider, registered(1), loggedIn(1)).when(login(1)).thenNothing());
  it('refuses absent, released and deactivated users alike', () => {
    given(decider).when(login(1)).thenThrows('invalid_credentials');
    given(decider, registered(1), released).when(login(1)).thenThrows('invalid_credentials');
    given(decider, registered(1), deactivated).when(login(1)).thenThrows('invalid_credentials');
  });
  it('records failures, beyond ten in a row one a minute', () => {
    given(decider, registered(1)).when(fail(1)).then(failed(1));
    given(decider, registered(1), failed(1)).when(fail(1)).thenNothing();
    const at5 = (second: number): UserEvent => ({
      type: 'LoginFailed',
      data: { failed_at: new Date(Date.parse(at(5)) + second * 1000).toISOString() },
    });
    const ten = Array.from({ length: 10 }, (_, second) => at5(second));
    given(decider, registered(1), ...ten)
      .when({ type: 'RecordLoginFailure', data: { at: at(6) } })
      .thenNothing();
    given(decider, registered(1), ...ten)
      .when(fail(7))
      .then(failed(7));
    given(decider, registered(1), ...ten, loggedIn(5))
      .when(fail(6))
      .then(failed(6));
  });
});

describe('user: properties', () => {
  const anyCommand: fc.Arbitrary<UserCommand> = fc.oneof(
    fc.integer({ min: 1, max: 4 }).map((n) => register(n)),
    fc.integer({ min: 1, max: 4 }).map(release),
    fc
      .tuple(fc.constantFrom<Role>('admin', 'user', 'viewer', 'auditor'), fc.nat(6))
      .map(([role, version]) => changeRole(role, version)),
    fc.nat(6).map(deactivate),
    fc.nat(6).map(reactivate),
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
      .map(([a, b]) => changePassword(a, b)),
    fc.integer({ min: 0, max: 50 }).map((minute) => login(minute)),
    fc.integer({ min: 0, max: 50 }).map(fail),
  );

  it('raises the token version exactly with what must invalidate tokens, and the same command twice does nothing', () => {
    const invalidating = [
      'UserReleased',
      'UserRoleChanged',
      'UserDeactivated',
      'UserReactivated',
      'PasswordChanged',
    ];
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
        let state = decider.initialState;
        for (const command of commands) {
          try {
            const events = decider.decide(command, state);
            events.forEach((event) => assertValid(event.type, event.data));
            const raised = events.filter(({ type }) => invalidating.includes(type)).length;
            const next = events.reduce(decider.evolve, state);
            expect(next.tokenVersion).to.equal(state.tokenVersion + raised);
            expect(decider.decide(command, next)).to.deep.equal([]);
            state = next;
          } catch (error) {
            if (!isDomainError(error)) throw error;
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
