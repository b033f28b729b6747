import type { Db } from '../../kernel/db.js';
import type { OrgId, PaymentId, RecoveryId } from '../../kernel/ids.js';
import type { Debt, Failure } from '../../kernel/ports.js';

/** The statements of the sandbox PSP's own books (schema sandbox_psp). */

export interface SandboxCharge {
  readonly id: string;
  readonly idempotency_key: string;
  readonly payment_id: PaymentId;
  readonly recovery_id: RecoveryId;
  readonly transaction_ref: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: 'succeeded' | 'declined';
  readonly failure: Failure | null;
  readonly origin: 'off_session' | 'checkout';
  readonly created_at: string;
}

export interface SandboxCall {
  readonly kind: 'charge' | 'lookup' | 'checkout';
  readonly idempotency_key: string;
  readonly payment_id: PaymentId;
  readonly outcome: string;
  readonly replayed: boolean;
  readonly request_id: string | null;
}

export interface SandboxSession {
  readonly id: string;
  readonly org_id: OrgId;
  readonly payment_id: PaymentId;
  readonly recovery_id: RecoveryId;
  readonly transaction_ref: string;
  readonly amount: number;
  readonly currency: string;
  readonly return_url: string;
  readonly status: 'open' | 'paid' | 'expired';
}

const withAmount = <T extends { amount: unknown }>(row: T): T => ({ ...row, amount: Number(row.amount) });

const CHARGE = `id, idempotency_key, payment_id, recovery_id, transaction_ref, amount, currency, status, failure,
  origin, created_at`;

/** All charges of a debt, or all there are, oldest first. A debt with two that succeeded was charged twice. */
export const sandboxCharges = async (db: Db, paymentId?: PaymentId): Promise<SandboxCharge[]> => {
  const { rows } = await db.query<SandboxCharge>(
    `SELECT ${CHARGE} FROM sandbox_psp.charges
     WHERE $1::uuid IS NULL OR payment_id = $1 ORDER BY created_at, id`,
    [paymentId ?? null],
  );
  return rows.map(withAmount);
};

/** All requests about a debt, oldest first. */
export const sandboxCalls = async (db: Db, paymentId: PaymentId): Promise<SandboxCall[]> => {
  const { rows } = await db.query<SandboxCall>(
    `SELECT kind, idempotency_key, payment_id, outcome, replayed, request_id FROM sandbox_psp.calls
     WHERE payment_id = $1 ORDER BY id`,
    [paymentId],
  );
  return rows;
};

/** Requests about one debt are handled one after the other, as PSPs lock a payment. Held to the end of the transaction. */
export const lockDebt = (db: Db, paymentId: string) =>
  db.query(`SELECT pg_advisory_xact_lock(hashtextextended('sandbox_psp:' || $1, 0))`, [paymentId]);

export const chargeByKey = async (db: Db, key: string): Promise<SandboxCharge | undefined> => {
  const { rows } = await db.query<SandboxCharge>(
    `SELECT ${CHARGE} FROM sandbox_psp.charges WHERE idempotency_key = $1`,
    [key],
  );
  return rows.map(withAmount)[0];
};

/** How many places of the debt's script are used up: its off-session charges, and its requests that were lost. */
export const scriptIndex = async (db: Db, paymentId: string): Promise<number> => {
  const { rows } = await db.query<{ used: string }>(
    `SELECT (SELECT count(*) FROM sandbox_psp.charges WHERE payment_id = $1 AND origin = 'off_session')
          + (SELECT count(*) FROM sandbox_psp.calls WHERE payment_id = $1 AND outcome = 'timeout_unrecorded') AS used`,
    [paymentId],
  );
  return Number(rows[0]?.used ?? 0);
};

type ChargedDebt = Pick<
  SandboxSession,
  'org_id' | 'payment_id' | 'recovery_id' | 'transaction_ref' | 'amount' | 'currency'
>;

export const insertCharge = (
  db: Db,
  charge: ChargedDebt & Pick<SandboxCharge, 'id' | 'idempotency_key' | 'status' | 'failure' | 'origin'>,
) =>
  db.query(
    `INSERT INTO sandbox_psp.charges
       (id, idempotency_key, org_id, payment_id, recovery_id, transaction_ref, amount, currency, status, failure, origin)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      charge.id,
      charge.idempotency_key,
      charge.org_id,
      charge.payment_id,
      charge.recovery_id,
      charge.transaction_ref,
      charge.amount,
      charge.currency,
      charge.status,
      charge.failure === null ? null : JSON.stringify(charge.failure),
      charge.origin,
    ],
  );

export const insertCall = (
  db: Db,
  call: Pick<SandboxCall, 'kind' | 'idempotency_key' | 'outcome' | 'replayed'> & {
    readonly payment_id: string;
    readonly request_id: string | undefined;
  },
) =>
  db.query(
    `INSERT INTO sandbox_psp.calls (kind, idempotency_key, payment_id, outcome, replayed, request_id)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [call.kind, call.idempotency_key, call.payment_id, call.outcome, call.replayed, call.request_id ?? null],
  );

const SESSION = `id, org_id, payment_id, recovery_id, transaction_ref, amount, currency, return_url, status`;

export const sessionById = async (db: Db, id: string): Promise<SandboxSession | undefined> => {
  const { rows } = await db.query<SandboxSession>(
    `SELECT ${SESSION} FROM sandbox_psp.sessions WHERE id = $1`,
    [id],
  );
  return rows.map(withAmount)[0];
};

/** The session of the key: made now, or the one made when the key was first seen. */
export const openSession = async (
  db: Db,
  debt: Debt,
  session: { readonly id: string; readonly idempotencyKey: string; readonly returnUrl: string },
): Promise<string> => {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO sandbox_psp.sessions
       (id, idempotency_key, org_id, payment_id, recovery_id, transaction_ref, amount, currency, return_url)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (idempotency_key) DO UPDATE SET idempotency_key = excluded.idempotency_key
     RETURNING id`,
    [
      session.id,
      session.idempotencyKey,
      debt.orgId,
      debt.paymentId,
      debt.recoveryId,
      debt.transactionRef,
      debt.amount,
      debt.currency,
      session.returnUrl,
    ],
  );
  return rows[0]?.id ?? session.id;
};

export const setSessionStatus = (db: Db, id: string, status: 'paid' | 'expired') =>
  db.query(`UPDATE sandbox_psp.sessions SET status = $2 WHERE id = $1 AND status = 'open'`, [id, status]);

/** The charge that paid the debt. */
export const paidBy = async (db: Db, paymentId: string): Promise<SandboxCharge | undefined> => {
  const { rows } = await db.query<SandboxCharge>(
    `SELECT ${CHARGE} FROM sandbox_psp.charges
     WHERE payment_id = $1 AND status = 'succeeded' ORDER BY created_at, id LIMIT 1`,
    [paymentId],
  );
  return rows.map(withAmount)[0];
};
