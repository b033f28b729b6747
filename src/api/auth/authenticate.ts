import type { IncomingMessage } from 'node:http';
import { DomainError } from '../../kernel/errors.js';
import type { Role } from '../../kernel/principal.js';
import type { Authenticator, UserPrincipal } from './ports.js';

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The scheme is case-insensitive (RFC 7235), the token is not. */
const bearerToken = (req: IncomingMessage): string => {
  const token = BEARER.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new DomainError('invalid_token', 'Send a token: Authorization: Bearer <access_token>');
  return token;
};

/** A guard for one route: a valid token of a user with one of the roles, or a refusal. */
export const authenticate = (
  { authenticator }: { readonly authenticator: Authenticator },
  roles: readonly Role[],
): ((req: IncomingMessage) => Promise<UserPrincipal>) => {
  const allowed = new Set(roles);
  return async (req) => {
    const principal = await authenticator(bearerToken(req));
    if (!allowed.has(principal.role))
      throw new DomainError('forbidden', `This needs one of the roles ${roles.join(', ')}`);
    return principal;
  };
};
