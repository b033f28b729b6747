import { createHmac, timingSafeEqual } from 'node:crypto';
import { isUuid, type RecoveryId } from '../../kernel/ids.js';
import type { Instant } from '../../kernel/clock.js';

/**
 * The token of a recovery link: who (16 bytes, the recovery's id), until when (4 bytes, Unix seconds), and a truncated
 * HMAC-SHA-256 over both (16 bytes), 48 characters in base64url. Nothing is stored, and the same recovery and expiry
 * give the same token, so that a mail sent again carries the same link.
 */
const ID = 16;
const EXPIRY = 4;
const MAC = 16;
const LENGTH = ((ID + EXPIRY + MAC) * 8) / 6;
const PURPOSE = 'recovery-link:v1:';

const macOf = (payload: Buffer, key: Buffer): Buffer =>
  createHmac('sha256', key).update(PURPOSE).update(payload).digest().subarray(0, MAC);

export const linkToken = (recoveryId: RecoveryId, expiresAt: Instant, key: Buffer): string => {
  const payload = Buffer.alloc(ID + EXPIRY);
  payload.write(recoveryId.replaceAll('-', ''), 'hex');
  payload.writeUInt32BE(Math.floor(Date.parse(expiresAt) / 1000), ID);
  return Buffer.concat([payload, macOf(payload, key)]).toString('base64url');
};

export interface LinkClaims {
  readonly recoveryId: RecoveryId;
  readonly expiresAt: Instant;
}

/** What the token says; undefined when it is malformed, not ours, or past its time: the caller cannot tell which. */
export const readLinkToken = (token: string, key: Buffer, now: Date): LinkClaims | undefined => {
  if (token.length !== LENGTH || !/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const payload = bytes.subarray(0, ID + EXPIRY);
  if (!timingSafeEqual(bytes.subarray(ID + EXPIRY), macOf(payload, key))) return undefined;
  const expiresAt = payload.readUInt32BE(ID) * 1000;
  if (now.getTime() >= expiresAt) return undefined;
  const recoveryId = payload
    .toString('hex', 0, ID)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!isUuid(recoveryId)) return undefined;
  return { recoveryId: recoveryId as RecoveryId, expiresAt: new Date(expiresAt).toISOString() };
};
