// @ts-check

/** @param {import('knex').Knex} knex */
export const up = (knex) =>
  knex.raw(`
    CREATE TABLE bus_checkpoints (
      consumer_group text PRIMARY KEY,
      position bigint NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    COMMENT ON TABLE bus_checkpoints IS 'How far each consumer group of the Postgres bus has handled the log';
    COMMENT ON COLUMN bus_checkpoints.position IS 'Every message up to here is handled; set back to have messages handled again (harmless)';
  `);

/** @param {import('knex').Knex} knex */
export const down = (knex) => knex.raw('DROP TABLE bus_checkpoints');
