import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { isDomainError } from '../../kernel/errors.js';
import { deriveId, orgIdOf } from '../../kernel/ids.js';
import { createTokens, type TokenOptions } from './tokens.js';

const secret = Buffer.from('k7Jq2vX9pLw4Zr8TbN3mYc6HdF1sGa5E', 'utf8');
let now = new Date('2026-01-01T00:00:00.000Z');
const make = (given: Partial<TokenOptions> = {}) =>
  createTokens({ secret, algorithm: 'HS256', expiryMinutes: 60, clock: { now: () => now }, ...given });
const tokens = make();
const user = { id: deriveId('ann'), orgId: orgIdOf('acme'), role: 'admin', tokenVersion: 3 } as const;
const seconds = (): number => now.getTime() / 1000;
const payload = (): object => ({
  use: 'access',
  org: user.orgId,
  role: 'admin',
  tv: 3,
  sub: user.id,
  iss: 'stealth-recovery',
  aud: 'stealth-recovery-api',
  iat: seconds(),
  exp: seconds() + 3600,
});
const without = (name: string): object =>
  Object.fromEntries(Object.entries(payload()).filter(([key]) => key !== name));
const signed = (changes: object = {}, options: jwt.SignOptions = {}): string =>
  jwt.sign({ ...payload(), ...changes }, secret, { algorithm: 'HS256', ...options });
const isRefused = (token: string): boolean => {
  try {
    tokens.verify(token);
    return false;
  } catch (error) {
    if (isDomainError(error) && error.code === 'invalid_token') return true;
    throw error;
  }
};
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('access tokens', () => {
  beforeEach(() => (now = new Date('2026-01-01T00:00:00.000Z')));

  it('expire also when they were found good before', () => {
    const { access_token } = tokens.issue(user);
    expect(tokens.verify(access_token)).to.equal(tokens.verify(access_token));
    now = new Date(now.getTime() + 60 * 60_000);
    expect(isRefused(access_token)).to.equal(true);
  });

  it('come back as the claims they were issued with', () => {
    const { access_token, ...rest } = tokens.issue(user);
    expect(rest).to.deep.equal({ token_type: 'bearer', expires_in: 3600 });
    expect(tokens.verify(access_token)).to.deep.equal({
      sub: user.id,
      org: user.orgId,
      role: 'admin',
      tv: 3,
      exp: seconds() + 3600,
    });
  });

  it('hold until they expire', () => {
    const { access_token } = tokens.issue(user);
    now = new Date(now.getTime() + 3_599_000);
    expect(isRefused(access_token)).to.equal(false);
    now = new Date(now.getTime() + 1000);
    expect(isRefused(access_token)).to.equal(true);
  });

  it('are accepted in the form that the refusals below vary', () =>
    expect(isRefused(signed())).to.equal(false));

  const unsigned = `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(payload())}.`;
  const refused: Readonly<Record<string, () => string>> = {
    HS512: () => signed({}, { algorithm: 'HS512' }),
    HS384: () => signed({}, { algorithm: 'HS384' }),
    'no signature': () => unsigned,
    'no signature, alg None': () => unsigned.replace(/^[^.]+/, base64url({ alg: 'None', typ: 'JWT' })),
    'no exp': () => jwt.sign(without('exp'), secret),
    'an exp of text': () => {
      const head = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ ...payload(), exp: '9999999999' })}`;
      return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
    },
    'another issuer': () => signed({ iss: 'someone' }),
    'no issuer': () => jwt.sign(without('iss'), secret),
    'another audience': () => signed({ aud: 'other-api' }),
    'no audience': () => jwt.sign(without('aud'), secret),
    'another use': () => signed({ use: 'refresh' }),
    'no use': () => jwt.sign(without('use'), secret),
    'not yet valid': () => signed({ nbf: seconds() + 60 }),
    expired: () => signed({ exp: seconds() - 1 }),
    'an unknown role': () => signed({ role: 'root' }),
    'a subject that is no id': () => signed({ sub: 'ann' }),
    'no organization': () => jwt.sign(without('org'), secret),
    'a token version of text': () => signed({ tv: '3' }),
    'a 1-byte secret': () => jwt.sign(payload(), 'k'),
    'another secret': () => jwt.sign(payload(), Buffer.alloc(32, 1)),
    garbage: () => 'garbage',
    empty: () => '',
    'three dots': () => '...',
    'megabytes of it': () => 'a.b.'.repeat(1_000_000),
    'a payload of text': () => jwt.sign('text', secret),
  };
  for (const [what, token] of Object.entries(refused))
    it(`are refused: ${what}`, () => expect(isRefused(token())).to.equal(true));

  it('are not signed with a short secret', () =>
    expect(() => make({ secret: Buffer.from('k') })).to.throw('at least 32 bytes'));
});
