import type { Db } from '../../kernel/db.js';
import type { OrgId } from '../../kernel/ids.js';
import type { Vault } from '../../kernel/ports.js';
import { keyIdOf, seal, unseal } from './seal.js';

interface SecretRow {
  readonly key_id: string;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

const insertSecret = {
  name: 'vault_insert',
  text: `INSERT INTO vault_secrets (org_id, id, key_id, nonce, ciphertext) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (org_id, id) DO NOTHING`,
};
const selectSecret = {
  name: 'vault_select',
  text: `SELECT vault_secrets.key_id, vault_secrets.nonce, vault_secrets.ciphertext
           FROM vault_secrets WHERE vault_secrets.org_id = $1 AND vault_secrets.id = $2`,
};

/** A row copied to another id or organization does not open there. */
const contextOf = (id: string, orgId: OrgId): string => `${orgId}/${id}`;

/** The vault in Postgres: AES-256-GCM, a random nonce each, id and organization authenticated with it. */
export class PgVault implements Vault {
  readonly #keyId: string;

  /** @param key the vault's own key (`deriveKey(masterKey, 'vault')`) */
  constructor(
    private readonly db: Db,
    private readonly key: Buffer,
  ) {
    this.#keyId = keyIdOf(key);
  }

  async put(id: string, orgId: OrgId, secret: string): Promise<void> {
    const { keyId, nonce, ciphertext } = seal(this.key, secret, contextOf(id, orgId));
    await this.db.query({ ...insertSecret, values: [orgId, id, keyId, nonce, ciphertext] });
  }

  async get(id: string, orgId: OrgId): Promise<string | undefined> {
    const { rows } = await this.db.query<SecretRow>({ ...selectSecret, values: [orgId, id] });
    const row = rows[0];
    if (!row) return undefined;
    if (row.key_id !== this.#keyId)
      throw new Error(`vault: ${id} was encrypted under another MASTER_KEY (key ${row.key_id})`);
    try {
      return unseal(this.key, { keyId: row.key_id, ...row }, contextOf(id, orgId));
    } catch (cause) {
      throw new Error(`vault: ${id} does not open: the row was altered`, { cause });
    }
  }
}
