import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

export interface Sealed {
  readonly keyId: string;
  readonly nonce: Buffer;
  /** The encrypted text followed by the tag. */
  readonly ciphertext: Buffer;
}

/** Names a key without telling anything of it. */
export const keyIdOf = (key: Buffer): string =>
  createHmac('sha256', key).update('key id').digest('hex').slice(0, 16);

/** Encrypts under a random nonce; `context` is authenticated: the same must be given to open it. */
export const seal = (key: Buffer, secret: string, context: string): Sealed => {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { keyId: keyIdOf(key), nonce, ciphertext };
};

/** Throws when key or context are not those it was sealed with, or when a bit was changed. */
export const unseal = (key: Buffer, { nonce, ciphertext }: Sealed, context: string): string => {
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH })
    .setAAD(Buffer.from(context))
    .setAuthTag(ciphertext.subarray(-TAG_LENGTH));
  return Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_LENGTH)), decipher.final()]).toString();
};
