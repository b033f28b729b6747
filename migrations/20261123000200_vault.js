// @ts-check

/**
 * Secrets beside the log: password hashes, PSP keys. The one table that cannot be rebuilt from the log.
 *
 * @param {import('knex').Knex} knex
 */
export const up = async (knex) => {
  await knex.raw(`
    CREATE TABLE vault_secrets (
      org_id     uuid        NOT NULL,
      id         uuid        NOT NULL,
      key_id     text        COLLATE "C" NOT NULL,
      nonce      bytea       NOT NULL CHECK (length(nonce) = 12),
      ciphertext bytea       NOT NULL CHECK (length(ciphertext) >= 16),
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (org_id, id)
    );

    COMMENT ON TABLE vault_secrets IS
      'Secrets, encrypted with AES-256-GCM. Back it up with MASTER_KEY kept elsewhere: it is not rebuilt from the log.';
    COMMENT ON COLUMN vault_secrets.org_id IS 'The tenant; authenticated with the ciphertext.';
    COMMENT ON COLUMN vault_secrets.id IS
      'Chosen by the writer, named by events; authenticated with the ciphertext.';
    COMMENT ON COLUMN vault_secrets.key_id IS
      'Which key encrypted it: tells the rows still to be re-encrypted when the key changes.';
    COMMENT ON COLUMN vault_secrets.nonce IS 'Random, never used twice with one key.';
    COMMENT ON COLUMN vault_secrets.ciphertext IS 'The encrypted secret followed by the 16-byte tag.';
    COMMENT ON COLUMN vault_secrets.created_at IS 'By the database''s clock.';
  `);
};

/** @param {import('knex').Knex} knex */
export const down = async (knex) => {
  await knex.raw('DROP TABLE vault_secrets');
};
