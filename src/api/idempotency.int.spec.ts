import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { isDomainError } from '../kernel/errors.js';
import { orgIdOf } from '../kernel/ids.js';
import { claimKey, pgIdempotencyKeys } from './idempotency.js';

describe('idempotency keys in Postgres', () => {
  let database: TestDatabase;
  before(async () => {
    database = await createTestDatabase();
  });
  after(() => database.drop());

  const claim = (slug: string, key: string, body: unknown): Promise<string> =>
    claimKey(pgIdempotencyKeys(database.pool), orgIdOf(slug), key, { route: 'r', body }).then(
      () => 'claimed',
      (error: unknown) => (isDomainError(error) ? error.code : String(error)),
    );

  it('stand for one request per organization, however its fields are ordered', async () => {
    expect(await claim('a', 'k', { x: 1, y: { b: 1, a: 2 } })).to.equal('claimed');
    expect(await claim('a', 'k', { y: { a: 2, b: 1 }, x: 1 })).to.equal('claimed');
    expect(await claim('a', 'k', { x: 2 })).to.equal('idempotency_key_reused');
    expect(await claim('b', 'k', { x: 2 })).to.equal('claimed');
    expect(await claim('a', 'k2', { x: 2 })).to.equal('claimed');
  });

  it('are claimed by one of many at once', async () => {
    const claims = await Promise.all(Array.from({ length: 8 }, (_, n) => claim('c', 'race', { n })));
    expect(claims.filter((outcome) => outcome === 'claimed')).to.have.length(1);
  });

  it('keep neither the key nor the body', async () => {
    await claim('d', 'secret-key', { secret: 'canary' });
    const { rows } = await database.pool.query<{ row: string }>(
      'SELECT k::text AS row FROM idempotency_keys k',
    );
    expect(rows.map(({ row }) => row).join()).not.to.match(/secret-key|canary/);
  });
});
