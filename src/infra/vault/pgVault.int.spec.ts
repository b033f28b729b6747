import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { deriveId, orgIdOf } from '../../kernel/ids.js';
import type { Vault } from '../../kernel/ports.js';
import { deriveKey } from '../secrets/keys.js';
import { MemoryVault } from './memoryVault.js';
import { PgVault } from './pgVault.js';

const acme = orgIdOf('acme');
const other = orgIdOf('other');
const key = deriveKey(randomBytes(32), 'vault');
let db: TestDatabase;
before(async () => (db = await createTestDatabase()));
after(() => db.drop());

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => String(error),
  );

const vaults: Readonly<Record<string, () => Vault>> = {
  'in Postgres': () => new PgVault(db.pool, key),
  'in memory': () => new MemoryVault(),
};
for (const [where, make] of Object.entries(vaults))
  describe(`vault ${where}`, () => {
    const id = (name: string): string => deriveId(where, name);

    it('gives back what was put', async () => {
      const vault = make();
      await vault.put(id('a'), acme, 'sk_live_ümläut');
      await vault.put(id('empty'), acme, '');
      expect(await vault.get(id('a'), acme)).to.equal('sk_live_ümläut');
      expect(await vault.get(id('empty'), acme)).to.equal('');
      expect(await vault.get(id('none'), acme)).to.equal(undefined);
    });

    it('keeps the first of an id, also of sixteen at once', async () => {
      const vault = make();
      await Promise.all(Array.from({ length: 16 }, (_, n) => vault.put(id('b'), acme, `secret ${n}`)));
      const kept = await vault.get(id('b'), acme);
      await vault.put(id('b'), acme, 'later');
      expect(await vault.get(id('b'), acme)).to.equal(kept);
    });

    it('keeps organizations apart', async () => {
      const vault = make();
      await vault.put(id('c'), acme, 'ours');
      expect(await vault.get(id('c'), other)).to.equal(undefined);
      await vault.put(id('c'), other, 'theirs');
      expect(await vault.get(id('c'), acme)).to.equal('ours');
    });
  });

describe('vault rows', () => {
  const put = async (name: string): Promise<string> => {
    await new PgVault(db.pool, key).put(deriveId(name), acme, 'canary-secret');
    return deriveId(name);
  };

  it('do not show the secret, and two of the same differ', async () => {
    const ids = [await put('r1'), await put('r2')];
    const { rows } = await db.pool.query<{ nonce: Buffer; ciphertext: Buffer }>(
      'SELECT nonce, ciphertext FROM vault_secrets WHERE id = ANY ($1)',
      [ids],
    );
    expect(rows).to.have.length(2);
    for (const { ciphertext } of rows) expect(ciphertext.includes('canary')).to.equal(false);
    expect(rows[0]?.nonce.equals(rows[1]?.nonce ?? Buffer.alloc(0))).to.equal(false);
    expect(rows[0]?.ciphertext.equals(rows[1]?.ciphertext ?? Buffer.alloc(0))).to.equal(false);
  });

  it('do not open when altered, or moved to another id or organization', async () => {
    const vault = new PgVault(db.pool, key);
    const altered = await put('altered');
    await db.pool.query(
      'UPDATE vault_secrets SET ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) WHERE id = $1',
      [altered],
    );
    expect(await failureOf(vault.get(altered, acme))).to.contain('does not open');
    await db.pool.query('UPDATE vault_secrets SET id = $2 WHERE id = $1', [await put('m1'), deriveId('m2')]);
    expect(await failureOf(vault.get(deriveId('m2'), acme))).to.contain('does not open');
    await db.pool.query('UPDATE vault_secrets SET org_id = $2 WHERE id = $1', [await put('m3'), other]);
    expect(await failureOf(vault.get(deriveId('m3'), other))).to.contain('does not open');
  });

  it('name their key: another one does not open them', async () => {
    const id = await put('keys');
    const next = randomBytes(32);
    const failure = await failureOf(new PgVault(db.pool, next).get(id, acme));
    expect(failure).to.contain('another MASTER_KEY').and.not.contain('canary');
  });
});
