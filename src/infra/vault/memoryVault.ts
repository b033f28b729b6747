import type { OrgId } from '../../kernel/ids.js';
import type { Vault } from '../../kernel/ports.js';

/** The vault in a Map, for tests: gone with the process. */
export class MemoryVault implements Vault {
  readonly #secrets = new Map<string, string>();

  put(id: string, orgId: OrgId, secret: string): Promise<void> {
    const key = `${orgId}/${id}`;
    if (!this.#secrets.has(key)) this.#secrets.set(key, secret);
    return Promise.resolve();
  }

  get(id: string, orgId: OrgId): Promise<string | undefined> {
    return Promise.resolve(this.#secrets.get(`${orgId}/${id}`));
  }
}
