import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import { silentLogger } from '../../kernel/logger.js';
import { createMigrator } from './migrate.js';

/** Everything in the public schema that a migration can leave behind. */
const SHAPE = `
  SELECT 'relation' AS kind, relname AS name, relkind::text || ' ' || coalesce(array_to_string(relacl, ','), '') AS what
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'knex%'
  UNION ALL SELECT 'column', attrelid::regclass || '.' || attname, format_type(atttypid, atttypmod) || attnotnull
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
   WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped AND relname NOT LIKE 'knex%'
  UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'knex%'
  UNION ALL SELECT 'trigger', tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'function', oid::regprocedure::text, prosrc
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'type', typname, typtype::text
    FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%knex%'
  ORDER BY 1, 2, 3`;

describe('migrate', () => {
  let db: TestDatabase;
  let directory: string;
  beforeEach(async () => {
    db = await createTestDatabase({ migrated: false });
    directory = await mkdtemp(join(tmpdir(), 'recovery-migrations-'));
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  });
  afterEach(async () => {
    await db.drop();
    await rm(directory, { recursive: true });
  });

  const file = (name: string, up: string, down: string) =>
    writeFile(
      join(directory, name),
      `export const up = (knex) => knex.raw(\`${up}\`);\nexport const down = (knex) => knex.raw(\`${down}\`);\n`,
    );
  const shape = async (): Promise<unknown[]> => (await db.pool.query<Record<string, unknown>>(SHAPE)).rows;

  it('takes every migration up, down and up again, leaving nothing behind', async () => {
    const migrator = createMigrator(db.url, silentLogger);
    const { pending } = await migrator.status();
    for (const name of pending) {
      const before = await shape();
      expect(await migrator.up(1)).to.deep.equal([name]);
      const after = await shape();
      expect(await migrator.down()).to.deep.equal([name]);
      expect(await shape(), `${name} down`).to.deep.equal(before);
      expect(await migrator.up(1)).to.deep.equal([name]);
      expect(await shape(), `${name} up again`).to.deep.equal(after);
    }
    expect(await migrator.status()).to.deep.equal({ applied: pending, pending: [], unknown: [] });
    const full = await shape();
    expect(await migrator.down(pending.length)).to.deep.equal([...pending].reverse());
    expect(await migrator.up()).to.deep.equal(pending);
    expect(await shape()).to.deep.equal(full);
  });

  it('reads what a fold asks of the metadata out of a log that is there', async () => {
    const migrator = createMigrator(db.url, silentLogger);
    const facts = '20261129000100_event_facts.js';
    const { pending } = await migrator.status();
    await migrator.up(pending.indexOf(facts));
    await db.pool.query(
      `INSERT INTO events (position, stream_id, revision, event_id, type, org_id, data, metadata, recorded_at)
       SELECT n, 'sample-' || n, 0, gen_random_uuid(), 'Sampled', gen_random_uuid(), '{}',
              json_build_object('schema_version', n, 'occurred_at', '2026-01-0' || n || 'T10:00:00+02:00'), now()
         FROM generate_series(1, 3) AS n`,
    );
    const reader = await db.pool.connect();
    await reader.query('BEGIN; SELECT count(*) FROM events');
    expect(String(await migrator.up(1).catch((cause: unknown) => cause))).to.contain('lock timeout');
    await reader.query('COMMIT');
    reader.release();
    expect(await migrator.up(1)).to.deep.equal([facts]);
    const { rows } = await db.pool.query('SELECT occurred_at, schema_version FROM events ORDER BY position');
    expect(rows).to.deep.equal(
      [1, 2, 3].map((n) => ({ occurred_at: `2026-01-0${n}T10:00:00+02:00`, schema_version: n })),
    );
  });

  it('migrates once when four start at the same time', async () => {
    await file('20260101000000_slow.js', 'CREATE TABLE slow (); SELECT pg_sleep(0.3)', 'DROP TABLE slow');
    await file('20260101000100_next.js', 'CREATE TABLE next ()', 'DROP TABLE next');
    const ups = await Promise.all(
      [1, 2, 3, 4].map(() => createMigrator(db.url, silentLogger, directory).up()),
    );
    expect(ups.flat()).to.deep.equal(['20260101000000_slow.js', '20260101000100_next.js']);
  });

  it('goes on after a process that was killed while migrating', async () => {
    await file('20260101000000_first.js', 'CREATE TABLE first ()', 'DROP TABLE first');
    await createMigrator(db.url, silentLogger, directory).up();
    await db.pool.query('UPDATE knex_migrations_lock SET is_locked = 1'); // what knex leaves behind
    await file('20260101000100_second.js', 'CREATE TABLE second ()', 'DROP TABLE second');
    expect(await createMigrator(db.url, silentLogger, directory).up()).to.deep.equal([
      '20260101000100_second.js',
    ]);
  });

  it('keeps nothing of a migration that fails, and says why', async () => {
    await file('20260101000000_bad.js', 'CREATE TABLE bad (); SELECT 1/0', 'DROP TABLE bad');
    const migrator = createMigrator(db.url, silentLogger, directory);
    const error = await migrator.up().catch((cause: unknown) => cause);
    expect(String(error)).to.contain('division by zero');
    expect((await migrator.status()).pending).to.deep.equal(['20260101000000_bad.js']);
    expect(await shape()).to.deep.equal([]);
  });

  it('starts on a newer database, but does not change it', async () => {
    await file('20260101000000_old.js', 'CREATE TABLE old ()', 'DROP TABLE old');
    await file('20260101000100_new.js', 'CREATE TABLE new ()', 'DROP TABLE new');
    const migrator = createMigrator(db.url, silentLogger, directory);
    await migrator.up();
    await rm(join(directory, '20260101000100_new.js'));
    expect(await migrator.up()).to.deep.equal([]);
    expect((await migrator.status()).unknown).to.deep.equal(['20260101000100_new.js']);
    const down = await migrator.down().catch((cause: unknown) => cause);
    expect(String(down)).to.contain('The database is newer').and.to.contain('20260101000100_new.js');
    await file('20260101000200_other.js', 'SELECT 1', 'SELECT 1');
    const up = await migrator.up().catch((cause: unknown) => cause);
    expect(String(up)).to.contain('The database is newer');
  });
});
