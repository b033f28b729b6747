import { createHmac } from 'node:crypto';
import { v5 } from 'uuid';

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

export type OrgId = Brand<string, 'OrgId'>;
export type UserId = Brand<string, 'UserId'>;
export type PaymentId = Brand<string, 'PaymentId'>;
export type RecoveryId = Brand<string, 'RecoveryId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case hyphenated UUID of any version, the only form ids take here. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** The namespace of every UUIDv5 (RFC 9562) derived by this system. Never change it: ids would change. */
const NAMESPACE = '8f0d2b43-3c0a-5d1e-9f57-6a1c6f0f3b11';

/** A UUIDv5 of the given parts; parts cannot run into each other. */
export const deriveId = (...parts: readonly string[]): string => v5(JSON.stringify(parts), NAMESPACE);

/** An organization is named by its slug: the first to register a slug owns its stream. */
export const orgIdOf = (slug: string): OrgId => deriveId('organization', slug) as OrgId;

/** A payment is named by its merchant's reference within the organization. */
export const paymentIdOf = (orgId: OrgId, transactionRef: string): PaymentId =>
  deriveId('payment', orgId, transactionRef) as PaymentId;

/** One recovery per payment. */
export const recoveryIdOf = (paymentId: PaymentId): RecoveryId =>
  deriveId('recovery', paymentId) as RecoveryId;

/** The id of the index-th event a command leads to: a retried command appends the same ids. */
export const eventIdOf = (commandId: string, index: number): string => v5(String(index), commandId);

/** Addresses that differ only in case or surrounding space are one person. */
export const foldEmail = (email: string): string => email.trim().normalize('NFKC').toLowerCase();

/**
 * A user is named by a keyed hash of the folded address, so that the id reveals nothing of it.
 * @param key the 32-byte identity key; changing it would orphan every user
 */
export const userIdOf = (email: string, key: Buffer): UserId => {
  const bytes = createHmac('sha256', key).update(foldEmail(email)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80; // version 8: custom (RFC 9562)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  ) as UserId;
};
