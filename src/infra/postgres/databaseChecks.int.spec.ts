import { expect } from 'chai';
import { createTestDatabase, startTestCluster, type TestDatabase } from '../../../test/support/postgres.js';
import { silentLogger } from '../../kernel/logger.js';
import { databaseChecks, refuseUnsafe, type Check } from './databaseChecks.js';
import { migrate } from './migrate.js';
import { createPool } from './pool.js';

const named = (checks: readonly Check[], name: string): Check | undefined =>
  checks.find((check) => check.name === name);
const failed = (checks: readonly Check[]): string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('databaseChecks', () => {
  let db: TestDatabase;
  before(async () => {
    db = await createTestDatabase();
  });
  after(() => db.drop());

  it('passes a durable, migrated server', async () => {
    const cluster = await startTestCluster({ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' });
    const pool = createPool({ url: cluster.url, logger: silentLogger });
    try {
      await migrate(cluster.url, silentLogger);
      const checks = await databaseChecks(pool);
      expect(failed(checks), JSON.stringify(checks)).to.deep.equal([]);
      expect(() => refuseUnsafe(checks, 'production')).not.to.throw();
    } finally {
      await pool.end();
      await cluster.stop();
    }
  });

  it('refuses a lossy server in production, and only there', async () => {
    const cluster = await startTestCluster();
    const pool = createPool({ url: cluster.url, logger: silentLogger });
    try {
      await migrate(cluster.url, silentLogger);
      const checks = await databaseChecks(pool);
      expect(failed(checks)).to.deep.equal(['fsync', 'full_page_writes', 'synchronous_commit']);
      expect(() => refuseUnsafe(checks, 'production')).to.throw(/fsync: off.*\n.*full_page_writes: off/);
      expect(() => refuseUnsafe(checks, 'development')).not.to.throw();
    } finally {
      await pool.end();
      await cluster.stop();
    }
  });

  it('names pending migrations, and those of a newer version', async () => {
    const empty = await createTestDatabase({ migrated: false });
    try {
      await empty.pool.query('CREATE TABLE knex_migrations (id serial, name text)');
      await empty.pool.query(`INSERT INTO knex_migrations (name) VALUES ('29990101000000_future.js')`);
      const check = named(await databaseChecks(empty.pool), 'migrations');
      expect(check).to.include({ ok: false });
      expect(check?.detail).to.contain('29990101000000_future.js');
    } finally {
      await empty.drop();
    }
  });

  it('names a wrong encoding and a pool beyond the server', async () => {
    const name = `test_latin_${process.pid}`;
    await db.pool.query(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'`,
    );
    const url = new URL(db.url);
    url.pathname = `/${name}`;
    const pool = createPool({ url: url.href, max: 5000, logger: silentLogger });
    try {
      expect(failed(await databaseChecks(pool))).to.include.members([
        'database encoding',
        'database connections',
      ]);
    } finally {
      await pool.end();
      await db.pool.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  it('is one failed check when nobody answers', async () => {
    const pool = createPool({ url: 'postgres://nobody:secret@127.0.0.1:1/none', logger: silentLogger });
    const checks = await databaseChecks(pool);
    await pool.end();
    expect(failed(checks)).to.deep.equal(['database']);
    expect(JSON.stringify(checks)).not.to.contain('secret');
  });
});
