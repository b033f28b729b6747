import { createHash } from 'node:crypto';
import type { Db } from '../kernel/db.js';
import { DomainError } from '../kernel/errors.js';
import type { OrgId } from '../kernel/ids.js';
import { canonicalJson } from '../kernel/json.js';
import { invalid } from './validation.js';

/** Remembers which request a client's Idempotency-Key stood for. Keys and bodies are kept as hashes only. */
export interface IdempotencyKeys {
  /** Claims the key for the request; false when it already stands for another one. */
  claim(orgId: OrgId, keyHash: Buffer, requestHash: Buffer): Promise<boolean>;
}

const CLAIM = `
  INSERT INTO idempotency_keys (org_id, key_hash, request_hash) VALUES ($1, $2, $3)
  ON CONFLICT (org_id, key_hash) DO NOTHING`;
const FIND = 'SELECT request_hash FROM idempotency_keys WHERE org_id = $1 AND key_hash = $2';

export const pgIdempotencyKeys = (db: Db): IdempotencyKeys => ({
  claim: async (orgId, keyHash, requestHash) => {
    const values = [orgId, keyHash, requestHash];
    const claimed = await db.query({ name: 'idempotency_claim', text: CLAIM, values });
    if (claimed.rowCount === 1) return true;
    const found = await db.query<{ request_hash: Buffer }>({
      name: 'idempotency_find',
      text: FIND,
      values: [orgId, keyHash],
    });
    return found.rows[0]?.request_hash.equals(requestHash) ?? true;
  },
});

/** Forgets keys that no client can still be repeating. @returns how many */
export const dropOldKeys = async (db: Db): Promise<number> => {
  const { rowCount } = await db.query(
    "DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - interval '7 days'",
  );
  return rowCount ?? 0;
};

const sha256 = (...parts: readonly string[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256')).digest();

/**
 * Holds a request against its Idempotency-Key, when it has one. The command behind it is idempotent by itself, so the
 * same request again is simply carried out again and gives the same answer.
 * @throws DomainError `idempotency_key_reused`
 */
export const claimKey = async (
  keys: IdempotencyKeys,
  orgId: OrgId,
  header: string | string[] | undefined,
  request: { readonly route: string; readonly body: unknown },
): Promise<void> => {
  if (header === undefined) return;
  const key = String(header);
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw invalid('/header/idempotency-key', 'must be 1 to 255 printable ASCII characters');
  const requestHash = sha256(request.route, canonicalJson(request.body));
  if (!(await keys.claim(orgId, sha256(key), requestHash)))
    throw new DomainError('idempotency_key_reused', 'The Idempotency-Key was used for another request');
};
