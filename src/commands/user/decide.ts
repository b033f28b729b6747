import type { UserEvent } from '../../events/user.js';
import { type Instant, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { DomainError } from '../../kernel/errors.js';
import type { Message } from '../../kernel/message.js';
import type { Role } from '../../kernel/principal.js';
import { evolve, noUser, type RegisteredUser, type UserState } from './state.js';

export type RegisterUser = Message<
  'RegisterUser',
  {
    readonly orgId: string;
    readonly email: string;
    readonly fullName?: string;
    readonly role: Role;
    readonly credentialId: string;
    readonly registeredAt: Instant;
    readonly invitedBy?: string;
  }
>;
export type ReleaseUser = Message<
  'ReleaseUser',
  { readonly registrationId: string; readonly reason: string }
>;
interface Fenced {
  /** The token version the change was decided from; another one refuses it. */
  readonly expectedVersion: number;
}
export type ChangeRole = Message<'ChangeRole', Fenced & { readonly role: Role; readonly renew?: boolean }>;
export type Deactivate = Message<'Deactivate', Fenced>;
export type Reactivate = Message<'Reactivate', Fenced>;
/** `verified`: the credential that the old password was compared with. */
export type ChangePassword = Message<
  'ChangePassword',
  { readonly credentialId: string; readonly verified: string }
>;
export type RecordLogin = Message<'RecordLogin', { readonly at: Instant; readonly verified: string }>;
export type RecordLoginFailure = Message<'RecordLoginFailure', { readonly at: Instant }>;
export type UserCommand =
  | RegisterUser
  | ReleaseUser
  | ChangeRole
  | Deactivate
  | Reactivate
  | ChangePassword
  | RecordLogin
  | RecordLoginFailure;

type Decided = readonly UserEvent[];

/** Beyond this many failures in a row one a minute is recorded: guessing must not grow the stream without bound. */
const FAILURES_IN_FULL = 10;

/** One answer for every failed login: it must not tell which part was wrong. */
export const invalidCredentials = (): DomainError =>
  new DomainError('invalid_credentials', 'unknown e-mail address or wrong password');

export const emailTaken = (): DomainError =>
  new DomainError('email_taken', 'a user of this e-mail address exists', [
    { pointer: '/email', detail: 'is taken' },
  ]);

const registeredOnly = (state: UserState): RegisteredUser => {
  if (state.status !== 'registered') throw new DomainError('not_found', 'no such user');
  return state;
};

const register = ({ data }: RegisterUser, state: UserState): Decided => {
  const registered: UserEvent = {
    type: 'UserRegistered',
    data: {
      org_id: data.orgId,
      email: data.email,
      ...(data.fullName !== undefined && { full_name: data.fullName }),
      role: data.role,
      credential_id: data.credentialId,
      registered_at: data.registeredAt,
      ...(data.invitedBy !== undefined && { invited_by: data.invitedBy }),
    },
  };
  if (state.status !== 'registered') return [registered];
  if (state.registrationId === data.credentialId) return [];
  throw emailTaken();
};

const release = ({ data }: ReleaseUser, state: UserState): Decided =>
  state.status === 'registered' && state.registrationId === data.registrationId
    ? [{ type: 'UserReleased', data: { reason: data.reason } }]
    : [];

/** The user as the change was decided from, or a refusal: somebody else changed them since. */
const unchangedSince = (state: UserState, { expectedVersion }: Fenced): RegisteredUser => {
  const user = registeredOnly(state);
  if (user.tokenVersion !== expectedVersion)
    throw new DomainError('version_conflict', 'the user was changed at the same time');
  return user;
};

/** `renew` records the same role once more, so that the token version moves past a fence. */
const changeRole = ({ data }: ChangeRole, state: UserState): Decided => {
  const { role } = registeredOnly(state);
  if (role === data.role && !data.renew) return [];
  unchangedSince(state, data);
  return [{ type: 'UserRoleChanged', data: { role: data.role, previous_role: role } }];
};

const deactivate = ({ data }: Deactivate, state: UserState): Decided =>
  registeredOnly(state).isActive && unchangedSince(state, data)
    ? [{ type: 'UserDeactivated', data: {} }]
    : [];

const reactivate = ({ data }: Reactivate, state: UserState): Decided =>
  registeredOnly(state).isActive || !unchangedSince(state, data)
    ? []
    : [{ type: 'UserReactivated', data: {} }];

/** The password was changed between the comparison and this decision: what was compared no longer counts. */
const assertCurrent = (user: RegisteredUser, verified: string): void => {
  if (user.credentialId !== verified) throw invalidCredentials();
};

const changePassword = ({ data }: ChangePassword, state: UserState): Decided => {
  const user = registeredOnly(state);
  if (user.credentialId === data.credentialId) return [];
  assertCurrent(user, data.verified);
  return [{ type: 'PasswordChanged', data: { credential_id: data.credentialId } }];
};

const recordLogin = ({ data }: RecordLogin, state: UserState): Decided => {
  if (state.status !== 'registered' || !state.isActive) throw invalidCredentials();
  assertCurrent(state, data.verified);
  const overtaken = state.lastLoginAt !== undefined && !isBefore(state.lastLoginAt, data.at);
  return overtaken ? [] : [{ type: 'UserLoggedIn', data: { logged_in_at: data.at } }];
};

const recordLoginFailure = ({ data }: RecordLoginFailure, state: UserState): Decided => {
  const { lastFailureAt, failedLogins } = registeredOnly(state);
  const tooSoon = lastFailureAt !== undefined && isBefore(data.at, plus(lastFailureAt, MINUTE));
  if (lastFailureAt === data.at || (failedLogins >= FAILURES_IN_FULL && tooSoon)) return [];
  return [{ type: 'LoginFailed', data: { failed_at: data.at } }];
};

const decide = (command: UserCommand, state: UserState): Decided => {
  switch (command.type) {
    case 'RegisterUser':
      return register(command, state);
    case 'ReleaseUser':
      return release(command, state);
    case 'ChangeRole':
      return changeRole(command, state);
    case 'Deactivate':
      return deactivate(command, state);
    case 'Reactivate':
      return reactivate(command, state);
    case 'ChangePassword':
      return changePassword(command, state);
    case 'RecordLogin':
      return recordLogin(command, state);
    case 'RecordLoginFailure':
      return recordLoginFailure(command, state);
    default:
      return command satisfies never;
  }
};

export const userDecider: Decider<UserState, UserCommand, UserEvent> = {
  initialState: noUser,
  evolve,
  decide,
};
