// @ts-check

/**
 * Where each read model stands. The tables themselves (recoveries__g3) and the view over the active one (recoveries)
 * are made by the projection engine, which can throw them away and fold them again from the log.
 *
 * @param {import('knex').Knex} knex
 */
export const up = async (knex) => {
  await knex.raw(`
    CREATE TABLE projection_generations (
      name         text        COLLATE "C" NOT NULL,
      generation   integer     NOT NULL CHECK (generation > 0),
      state        text        NOT NULL CHECK (state IN ('building', 'active', 'previous')),
      fold_version integer     NOT NULL,
      definition   text        NOT NULL,
      position     bigint      NOT NULL DEFAULT 0,
      epoch        bigint      NOT NULL DEFAULT 0,
      paused       boolean     NOT NULL DEFAULT false,
      error        jsonb,
      phase        text,
      recorded_at  timestamptz,
      heartbeat_at timestamptz,
      created_at   timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (name, generation)
    ) WITH (fillfactor = 50);
    CREATE UNIQUE INDEX projection_generations_state ON projection_generations (name, state);

    COMMENT ON TABLE projection_generations IS 'One row per table of a read model: at most one is active, one being built, one kept for rollback.';
    COMMENT ON COLUMN projection_generations.name IS 'The read model, and the view its readers query.';
    COMMENT ON COLUMN projection_generations.generation IS 'Its table is called <name>__g<generation>.';
    COMMENT ON COLUMN projection_generations.state IS 'building, active, or previous (kept for rollback).';
    COMMENT ON COLUMN projection_generations.fold_version IS 'The version of the fold that made the rows.';
    COMMENT ON COLUMN projection_generations.definition IS 'Hash of the table definition the table was made from.';
    COMMENT ON COLUMN projection_generations.position IS 'The checkpoint: every event up to it is folded. Moved by compare-and-set with the rows.';
    COMMENT ON COLUMN projection_generations.epoch IS 'Raised by whatever else changes the rows or their owner; part of the compare-and-set.';
    COMMENT ON COLUMN projection_generations.paused IS 'Stopped by an operator.';
    COMMENT ON COLUMN projection_generations.error IS 'The event the fold failed on, and why.';
    COMMENT ON COLUMN projection_generations.phase IS 'What a rebuild is doing.';
    COMMENT ON COLUMN projection_generations.recorded_at IS 'When the log learnt the last event folded.';
    COMMENT ON COLUMN projection_generations.heartbeat_at IS 'When a worker last had it in hand.';
    COMMENT ON COLUMN projection_generations.created_at IS 'When the table was made.';
  `);
};

/** @param {import('knex').Knex} knex */
export const down = async (knex) => {
  await knex.raw(`
    DO $$
    DECLARE made record;
    BEGIN
      FOR made IN SELECT * FROM projection_generations LOOP
        EXECUTE format('DROP VIEW IF EXISTS %I', made.name);
        EXECUTE format('DROP TABLE IF EXISTS %I', made.name || '__g' || made.generation);
      END LOOP;
    END $$;
    DROP TABLE projection_generations;
  `);
};
