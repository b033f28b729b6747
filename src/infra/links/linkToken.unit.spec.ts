import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import type { RecoveryId } from '../../kernel/ids.js';
import { linkToken, readLinkToken } from './linkToken.js';

const key = createHash('sha256').update('link key').digest();
const id = '7c9e6679-7425-50de-944b-e07fc1f90ae7' as RecoveryId;
const expiresAt = '2026-12-01T10:00:00.000Z';
const before = new Date('2026-11-23T10:00:00Z');

describe('link token', () => {
  it('comes back as it went in, and is the same each time', () => {
    const token = linkToken(id, expiresAt, key);
    expect(token)
      .to.match(/^[A-Za-z0-9_-]{48}$/)
      .and.to.equal(linkToken(id, expiresAt, key));
    expect(readLinkToken(token, key, before)).to.deep.equal({ recoveryId: id, expiresAt });
  });

  it('ends at its expiry', () => {
    const token = linkToken(id, expiresAt, key);
    expect(readLinkToken(token, key, new Date('2026-12-01T09:59:59.999Z'))).to.not.equal(undefined);
    expect(readLinkToken(token, key, new Date(expiresAt))).to.equal(undefined);
  });

  it('is refused under another key', () => {
    expect(readLinkToken(linkToken(id, expiresAt, key), Buffer.alloc(32, 1), before)).to.equal(undefined);
  });

  it('is refused when any character of it is another one', () => {
    const token = linkToken(id, expiresAt, key);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(fc.nat(47), fc.constantFrom(...alphabet), (at, character) => {
        fc.pre(token[at] !== character);
        const forged = token.slice(0, at) + character + token.slice(at + 1);
        expect(readLinkToken(forged, key, before)).to.equal(undefined);
      }),
    );
  });

  it('is never a fault, whatever comes in', () => {
    fc.assert(fc.property(fc.string(), (text) => readLinkToken(text, key, before) === undefined));
    expect(readLinkToken('', key, before)).to.equal(undefined);
    expect(readLinkToken(`${linkToken(id, expiresAt, key)}=`, key, before)).to.equal(undefined);
  });
});
