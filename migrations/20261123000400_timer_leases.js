// @ts-check

/** @param {import('knex').Knex} knex */
export const up = (knex) =>
  knex.raw(`
    CREATE TABLE timer_leases (
      key uuid PRIMARY KEY,
      lease_id uuid NOT NULL,
      leased_until timestamptz,
      handled_position bigint NOT NULL DEFAULT 0
    );
    COMMENT ON TABLE timer_leases IS 'Who works on which due recovery right now; may be emptied at any time when no scheduler runs';
    COMMENT ON COLUMN timer_leases.key IS 'The recovery, as in the timers read model';
    COMMENT ON COLUMN timer_leases.lease_id IS 'Fencing token: a worker whose lease_id is no longer here must not act';
    COMMENT ON COLUMN timer_leases.leased_until IS 'By the clock of the database; NULL when released';
    COMMENT ON COLUMN timer_leases.handled_position IS 'Timer rows folded from older events than this are stale';
  `);

/** @param {import('knex').Knex} knex */
export const down = (knex) => knex.raw('DROP TABLE timer_leases');
