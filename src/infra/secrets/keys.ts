import { hkdfSync } from 'node:crypto';

/** What a key is for. Never rename one: its key would change. */
export type KeyPurpose = 'vault' | 'links' | 'identity';

/** The 32-byte key of one purpose (HKDF-SHA-256): none of them tells anything of another or of the master key. */
export const deriveKey = (master: Buffer, purpose: KeyPurpose): Buffer =>
  Buffer.from(hkdfSync('sha256', master, '', `stealth-recovery/${purpose}/v1`, 32));
