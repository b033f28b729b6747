// @ts-check

/** @param {import('knex').Knex} knex */
export const up = (knex) =>
  knex.raw(`
    CREATE TABLE parked_sequences (
      consumer_group text        NOT NULL,
      key            text        NOT NULL,
      reason         text        NOT NULL,
      tries          integer     NOT NULL CHECK (tries > 0),
      parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      tried_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer_group, key)
    );
    CREATE TABLE parked_messages (
      number         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      consumer_group text        NOT NULL,
      key            text        NOT NULL,
      message_id     text        NOT NULL,
      message        jsonb       NOT NULL,
      parked_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      UNIQUE (consumer_group, key, message_id),
      FOREIGN KEY (consumer_group, key) REFERENCES parked_sequences ON DELETE CASCADE
    );
    CREATE INDEX parked_messages_order ON parked_messages (consumer_group, key, number);

    COMMENT ON TABLE parked_sequences IS 'Keys whose messages a consumer group cannot handle: the first one failed, the others wait behind it';
    COMMENT ON COLUMN parked_sequences.reason IS 'Why the first message could not be handled, the last time it was tried';
    COMMENT ON COLUMN parked_sequences.tries IS 'How often the first message was tried';
    COMMENT ON COLUMN parked_sequences.tried_at IS 'When it was tried last';
    COMMENT ON TABLE parked_messages IS 'The messages of parked sequences, handled in the order of their numbers';
    COMMENT ON COLUMN parked_messages.message_id IS 'A message handed over again is not parked again';
  `);

/** @param {import('knex').Knex} knex */
export const down = (knex) => knex.raw('DROP TABLE parked_messages; DROP TABLE parked_sequences');
