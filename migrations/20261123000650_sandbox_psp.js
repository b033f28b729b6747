// @ts-check
/**
 * The sandbox PSP keeps its books apart from the product, as a real PSP would: tests compare them with the log.
 * @param {import('knex').Knex} knex
 */
export const up = (knex) =>
  knex.raw(`
    CREATE SCHEMA sandbox_psp;

    CREATE TABLE sandbox_psp.charges (
      id              text PRIMARY KEY,
      idempotency_key text NOT NULL UNIQUE,
      org_id          uuid NOT NULL,
      payment_id      uuid NOT NULL,
      recovery_id     uuid NOT NULL,
      transaction_ref text NOT NULL,
      amount          bigint NOT NULL CHECK (amount > 0),
      currency        text NOT NULL,
      status          text NOT NULL CHECK (status IN ('succeeded', 'declined')),
      failure         jsonb,
      origin          text NOT NULL CHECK (origin IN ('off_session', 'checkout')),
      created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX charges_by_payment ON sandbox_psp.charges (payment_id, created_at);
    COMMENT ON TABLE sandbox_psp.charges IS 'One row per charge made, whether it succeeded or was declined';
    COMMENT ON COLUMN sandbox_psp.charges.idempotency_key IS 'The same key again is the same charge; another key is another one';

    CREATE TABLE sandbox_psp.calls (
      id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      kind            text NOT NULL CHECK (kind IN ('charge', 'lookup', 'checkout')),
      idempotency_key text NOT NULL,
      payment_id      uuid NOT NULL,
      outcome         text NOT NULL,
      replayed        boolean NOT NULL DEFAULT false,
      request_id      text,
      called_at       timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX calls_by_payment ON sandbox_psp.calls (payment_id, id);
    COMMENT ON TABLE sandbox_psp.calls IS 'One row per request received';
    COMMENT ON COLUMN sandbox_psp.calls.outcome IS 'What was answered, or how the answer was lost';
    COMMENT ON COLUMN sandbox_psp.calls.replayed IS 'The key was known: the first result was given again';

    CREATE TABLE sandbox_psp.sessions (
      id              text PRIMARY KEY,
      idempotency_key text NOT NULL UNIQUE,
      org_id          uuid NOT NULL,
      payment_id      uuid NOT NULL,
      recovery_id     uuid NOT NULL,
      transaction_ref text NOT NULL,
      amount          bigint NOT NULL CHECK (amount > 0),
      currency        text NOT NULL,
      return_url      text NOT NULL,
      status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'expired')),
      created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX sessions_by_payment ON sandbox_psp.sessions (payment_id);
    COMMENT ON TABLE sandbox_psp.sessions IS 'Checkout pages opened for customers';
  `);

/** @param {import('knex').Knex} knex */
export const down = (knex) => knex.raw('DROP SCHEMA sandbox_psp CASCADE');
