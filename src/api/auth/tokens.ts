import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Clock } from '../../kernel/clock.js';
import { DomainError } from '../../kernel/errors.js';
import { isUuid, type OrgId, type UserId } from '../../kernel/ids.js';
import { type Role, roles } from '../../kernel/principal.js';

const ISSUER = 'stealth-recovery';
const AUDIENCE = 'stealth-recovery-api';
/** Ours are about 450 characters; what is much longer is not worth a hash. */
const MAX_LENGTH = 2048;
/** Verified tokens remembered: a client sends the same one with every request. */
const MAX_KNOWN = 1_000;

export interface TokenOptions {
  /** At least 32 bytes. */
  readonly secret: Buffer;
  readonly algorithm: 'HS256';
  readonly expiryMinutes: number;
  readonly clock: Clock;
}

export interface TokenSubject {
  readonly id: string;
  readonly orgId: string;
  readonly role: Role;
  readonly tokenVersion: number;
}

export interface IssuedToken {
  readonly access_token: string;
  readonly token_type: 'bearer';
  /** Seconds. */
  readonly expires_in: number;
}

export interface Claims {
  readonly sub: UserId;
  readonly org: OrgId;
  readonly role: Role;
  /** Token version: sessions.ts compares it with the user's. */
  readonly tv: number;
  readonly exp: number;
}

export interface Tokens {
  issue(user: TokenSubject): IssuedToken;
  /** @throws DomainError `invalid_token`, whatever is wrong with it */
  verify(token: string): Claims;
}

const invalid = (options?: ErrorOptions): DomainError =>
  new DomainError('invalid_token', 'the access token is missing, expired or not valid', [], options);

const claimsOf = (payload: unknown): Claims => {
  if (typeof payload !== 'object' || payload === null) throw invalid();
  const { sub, org, role, tv, exp, use } = payload as Partial<Record<string, unknown>>;
  const known = roles.find((one) => one === role);
  const wellFormed = typeof sub === 'string' && isUuid(sub) && typeof org === 'string' && isUuid(org);
  // jsonwebtoken accepts a token without `exp` as one that never expires.
  if (use !== 'access' || !known || !wellFormed || typeof exp !== 'number' || !Number.isInteger(tv))
    throw invalid();
  return { sub: sub as UserId, org: org as OrgId, role: known, tv: tv as number, exp };
};

/** A token that was found good stays so until it expires: only what is new is hashed and parsed. */
const remembered = (verify: Tokens['verify'], seconds: () => number): Tokens['verify'] => {
  const known = new Map<string, Claims>();
  return (token) => {
    const before = known.get(token);
    if (before !== undefined && seconds() < before.exp) return before;
    const claims = verify(token);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(token, claims);
    return claims;
  };
};

/** Access tokens: JWT with one pinned algorithm, issuer, audience, expiry and use. */
export const createTokens = ({ secret, algorithm, expiryMinutes, clock }: TokenOptions): Tokens => {
  if (secret.length < 32) throw new Error('tokens need a secret of at least 32 bytes');
  // Made once: given as text, the key would be built anew for every request, at five times the cost.
  const key = createSecretKey(secret);
  const lifetime = expiryMinutes * 60;
  const seconds = (): number => Math.floor(clock.now().getTime() / 1000);
  const issue = (user: TokenSubject): IssuedToken => {
    const iat = seconds();
    const payload = { use: 'access', org: user.orgId, role: user.role, tv: user.tokenVersion, iat };
    const options = { algorithm, expiresIn: lifetime, issuer: ISSUER, audience: AUDIENCE, subject: user.id };
    return { access_token: jwt.sign(payload, key, options), token_type: 'bearer', expires_in: lifetime };
  };
  const verify = (token: string): Claims => {
    if (token.length > MAX_LENGTH) throw invalid();
    const options = {
      algorithms: [algorithm],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTimestamp: seconds(),
    };
    let payload: unknown;
    try {
      payload = jwt.verify(token, key, options);
    } catch (cause) {
      throw invalid({ cause });
    }
    return claimsOf(payload);
  };
  return { issue, verify: remembered(verify, seconds) };
};
