// @ts-check

/** @param {import('knex').Knex} knex */
export const up = (knex) =>
  knex.raw(`
    CREATE TABLE installation (
      one boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
      id  uuid    NOT NULL DEFAULT gen_random_uuid()
    );
    INSERT INTO installation DEFAULT VALUES;

    COMMENT ON TABLE installation IS 'One row: who this database is to a log outside of it.';
    COMMENT ON COLUMN installation.one IS 'Keeps the table at one row.';
    COMMENT ON COLUMN installation.id IS 'A log in EventStoreDB names the installation that it belongs to.';
  `);

/** @param {import('knex').Knex} knex */
export const down = (knex) => knex.raw('DROP TABLE installation');
