import { expect } from 'chai';
import fc from 'fast-check';
import type { OrganizationEvent } from '../../events/organization.js';
import { assertValid } from '../../events/registry.js';
import { isDomainError } from '../../kernel/errors.js';
import { given, stateOf } from '../../../test/support/spec.js';
import {
  type OrganizationCommand,
  organizationDecider as decider,
  type RetryPolicyValues,
} from './decide.js';
import { builtInPolicy } from './builtInPolicy.js';
import { activePolicy, isHeld } from './state.js';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const [ann, bob, cid] = [id(1), id(2), id(3)];
const t1 = '2026-01-01T00:00:00.000Z';
const t2 = '2026-01-01T00:20:00.000Z';
const registered = (founder: string, at = t1): OrganizationEvent => ({
  type: 'OrganizationRegistered',
  data: { name: 'Acme', slug: 'acme', founder_id: founder, registered_at: at },
});
const released = (reason: string): OrganizationEvent => ({ type: 'OrganizationReleased', data: { reason } });
const granted = (user: string, version = 0): OrganizationEvent => ({
  type: 'AdminGranted',
  data: { user_id: user, user_version: version },
});
const revoked = (user: string, version = 0): OrganizationEvent => ({
  type: 'AdminRevoked',
  data: { user_id: user, user_version: version },
});
const register = (founderId: string, at = t1, displaces?: string): OrganizationCommand => ({
  type: 'RegisterOrganization',
  data: {
    name: 'Acme',
    slug: 'acme',
    founderId,
    at,
    ...(displaces !== undefined && { displaces: { founderId: displaces, registeredAt: t1 } }),
  },
});
const release = (founderId: string, registeredAt = t1): OrganizationCommand => ({
  type: 'ReleaseOrganization',
  data: { founderId, registeredAt, reason: 'email_taken' },
});
const confirm = (founderId: string, registeredAt = t1): OrganizationCommand => ({
  type: 'ConfirmFounder',
  data: { founderId, registeredAt, userVersion: 0 },
});
const grant = (userId: string, userVersion = 0): OrganizationCommand => ({
  type: 'GrantAdmin',
  data: { userId, userVersion },
});
const revoke = (userId: string, userVersion = 0): OrganizationCommand => ({
  type: 'RevokeAdmin',
  data: { userId, userVersion },
});
const values: RetryPolicyValues = {
  max_retries: 3,
  initial_delay_minutes: 60,
  backoff_multiplier: 1.5,
  max_delay_minutes: 600,
  enabled_channels: ['email'],
};
const setPolicy = (policy: RetryPolicyValues, expectedVersion?: number): OrganizationCommand => ({
  type: 'SetRetryPolicy',
  data: { policy, expectedVersion, at: t2 },
});
const policySet = (version: number, policy = values): OrganizationEvent => ({
  type: 'RetryPolicySet',
  data: { version, ...policy, set_at: t2 },
});
const connect = (webhookSecretReference?: string): OrganizationCommand => ({
  type: 'ConnectPsp',
  data: {
    provider: 'stripe',
    secretReference: id(7),
    ...(webhookSecretReference !== undefined && { webhookSecretReference }),
    at: t2,
  },
});
const connected: OrganizationEvent = {
  type: 'PspConnected',
  data: { provider: 'stripe', secret_reference: id(7), connected_at: t2 },
};
const active = [registered(ann), granted(ann)] as const;

describe('organization: registration', () => {
  it('takes a free slug', () => given(decider).when(register(ann)).then(registered(ann)));
  it('resumes the same registration', () =>
    given(decider, registered(ann)).when(register(ann, t2)).thenNothing());
  it('refuses a slug that is taken', () => {
    given(decider, registered(ann)).when(register(bob)).thenThrows('slug_taken');
    given(decider, ...active)
      .when(register(bob, t2, ann))
      .thenThrows('slug_taken');
    given(decider, ...active)
      .when(register(ann))
      .thenThrows('slug_taken');
  });
  it('displaces exactly the claim found abandoned', () => {
    given(decider, registered(ann))
      .when(register(bob, t2, ann))
      .then(released('founder_never_came'), registered(bob, t2));
    given(decider, registered(cid))
      .when(register(bob, t2, ann))
      .thenThrows('slug_taken');
    given(decider, registered(ann, t2))
      .when(register(bob, t2, ann))
      .thenThrows('slug_taken');
  });
  it('takes a released slug', () =>
    given(decider, registered(ann), released('x')).when(register(bob)).then(registered(bob)));
  it('releases a claim, once, and never an active organization', () => {
    given(decider, registered(ann)).when(release(ann)).then(released('email_taken'));
    given(decider, registered(ann), released('x')).when(release(ann)).thenNothing();
    given(decider, registered(ann)).when(release(bob)).thenNothing();
    given(decider, ...active)
      .when(release(ann))
      .thenNothing();
  });
  it('confirms the founder of the claim only', () => {
    given(decider, registered(ann)).when(confirm(ann)).then(granted(ann));
    given(decider, ...active)
      .when(confirm(ann))
      .thenNothing();
    given(decider, registered(ann, t2)).when(confirm(ann, t1)).thenThrows('slug_taken');
    given(decider, registered(bob)).when(confirm(ann)).thenThrows('slug_taken');
  });
});

describe('organization: admins', () => {
  it('grants', () =>
    given(decider, ...active)
      .when(grant(bob))
      .then(granted(bob)));
  it('grants once', () =>
    given(decider, ...active)
      .when(grant(ann))
      .thenNothing());
  it('does not grant before the founder is confirmed', () =>
    given(decider, registered(ann)).when(grant(bob)).thenThrows('not_found'));
  it('revokes', () =>
    given(decider, ...active, granted(bob))
      .when(revoke(ann))
      .then(revoked(ann)));
  it('revokes once', () =>
    given(decider, ...active, granted(bob), revoked(ann))
      .when(revoke(ann))
      .thenNothing());
  it('fences off a grant that comes late', () => {
    given(decider, ...active)
      .when(revoke(bob, 3))
      .then(revoked(bob, 3));
    given(decider, ...active, revoked(bob, 3))
      .when(grant(bob, 3))
      .thenNothing();
    given(decider, ...active, revoked(bob, 3))
      .when(revoke(bob, 2))
      .thenNothing();
    given(decider, ...active, revoked(bob, 3))
      .when(grant(bob, 4))
      .then(granted(bob, 4));
  });
  it('keeps the last admin', () =>
    given(decider, ...active)
      .when(revoke(ann))
      .thenThrows('last_admin'));
});

describe('organization: retry policy', () => {
  it('starts from the built-in one, version 0, which an organization may set as it is', () => {
    const builtIn = activePolicy(stateOf(decider, ...active));
    expect(builtIn).to.equal(builtInPolicy);
    const { version, ...values } = builtIn;
    expect(version).to.equal(0);
    assertValid('RetryPolicySet', { ...values, version: 1, set_at: t1 });
  });
  it('counts versions with every change', () => {
    given(decider, ...active)
      .when(setPolicy(values))
      .then(policySet(1));
    const next = { ...values, max_retries: 0 };
    given(decider, ...active, policySet(1))
      .when(setPolicy(next))
      .then(policySet(2, next));
    expect(activePolicy(stateOf(decider, ...active, policySet(1)))).to.deep.equal({ version: 1, ...values });
  });
  it('keeps the version when nothing changes', () =>
    given(decider, ...active, policySet(1))
      .when(setPolicy({ ...values }))
      .thenNothing());
  it('is not changed from a version that it is not at any more', () => {
    const next = { ...values, max_retries: 0 };
    given(decider, ...active)
      .when(setPolicy(values, 0))
      .then(policySet(1));
    given(decider, ...active, policySet(1))
      .when(setPolicy(next, 0))
      .thenThrows('version_mismatch');
    given(decider, ...active, policySet(1))
      .when(setPolicy(values, 0))
      .thenNothing();
  });
  it('needs an active organization', () =>
    given(decider, registered(ann)).when(setPolicy(values)).thenThrows('not_found'));
});

describe('organization: PSP', () => {
  it('connects', () =>
    given(decider, ...active)
      .when(connect())
      .then(connected));
  it('connects once', () =>
    given(decider, ...active, connected)
      .when(connect())
      .thenNothing());
  it('connects again with another secret', () =>
    given(decider, ...active, connected)
      .when(connect(id(8)))
      .then({
        ...connected,
        data: { ...connected.data, webhook_secret_reference: id(8) },
      }));
  it('needs an active organization', () => given(decider).when(connect()).thenThrows('not_found'));
});

describe('organization: properties', () => {
  const anyUser = fc.constantFrom(ann, bob, cid);
  const anyCommand: fc.Arbitrary<OrganizationCommand> = fc.oneof(
    anyUser.map((user) => register(user)),
    fc.tuple(anyUser, anyUser).map(([user, other]) => register(user, t2, other)),
    anyUser.map((user) => release(user)),
    fc.tuple(anyUser, fc.constantFrom(t1, t2)).map(([user, at]) => confirm(user, at)),
    fc.tuple(anyUser, fc.nat(3)).map(([user, version]) => grant(user, version)),
    fc.tuple(anyUser, fc.nat(3)).map(([user, version]) => revoke(user, version)),
    fc.constantFrom(0, 1, 2).map((n) => setPolicy({ ...values, max_retries: n })),
    fc.constant(connect()),
  );

  it('once active, never loses its last admin, its founder or a policy version', () => {
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
        let state = decider.initialState;
        for (const command of commands) {
          const before = state;
          try {
            const events = decider.decide(command, state);
            events.forEach((event) => assertValid(event.type, event.data));
            state = events.reduce(decider.evolve, state);
          } catch (error) {
            if (!isDomainError(error)) throw error;
          }
          if (before.status !== 'active') continue;
          expect(state.status).to.equal('active');
          if (!isHeld(state)) continue;
          expect(state.admins).not.to.have.length(0);
          expect(new Set(state.admins).size).to.equal(state.admins.length);
          expect(state.founderId).to.equal(before.founderId);
          expect(activePolicy(state).version - activePolicy(before).version).to.be.within(0, 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
