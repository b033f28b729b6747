import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../kernel/errors.js';
import type { Role } from '../../kernel/principal.js';
import type { Session, Sessions } from './sessions.js';
import type { Tokens } from './tokens.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The scheme is case-insensitive (RFC 7235), the token is not. */
const bearerToken = (req: IncomingMessage): string => {
  const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new DomainError('invalid_token', 'Send a token: Authorization: Bearer <access_token>');
  return token;
};

export interface AuthDependencies {
  readonly tokens: Tokens;
  readonly sessions: Sessions;
}

/** A guard for one route: a valid token of a user with one of the roles, or a refusal. */
export const authenticate = (
  { tokens, sessions }: AuthDependencies,
  roles: readonly Role[],
): ((req: IncomingMessage) => Promise<Session>) => {
  const allowed = new Set(roles);
  return async (req) => {
    const session = await sessions.resolve(tokens.verify(bearerToken(req)));
    if (!allowed.has(session.role))
      throw new DomainError('forbidden', `This needs one of the roles ${roles.join(', ')}`);
    return session;
  };
};
