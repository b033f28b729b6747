// @ts-check

/** @param {import('knex').Knex} knex */
export const up = async (knex) => {
  await knex.raw(`
    CREATE TABLE idempotency_keys (
      org_id uuid NOT NULL,
      key_hash bytea NOT NULL,
      request_hash bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (org_id, key_hash)
    );
    COMMENT ON TABLE idempotency_keys IS 'Which request a client''s Idempotency-Key stands for';
    COMMENT ON COLUMN idempotency_keys.org_id IS 'The organization whose client sent the key';
    COMMENT ON COLUMN idempotency_keys.key_hash IS 'SHA-256 of the key; the key itself is not kept';
    COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of the route and the body with sorted fields';
    COMMENT ON COLUMN idempotency_keys.created_at IS 'When the key was first seen';
  `);
};

/** @param {import('knex').Knex} knex */
export const down = async (knex) => {
  await knex.raw('DROP TABLE idempotency_keys');
};
