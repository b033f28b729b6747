import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../../kernel/logger.js';
import type {
  ChargeOutcome,
  Checkout,
  CheckoutPage,
  ClosedCheckout,
  StoppedRetries,
  Debt,
  Failure,
  Psp,
} from '../../kernel/ports.js';
import {
  chargeByKey,
  insertCall,
  insertCharge,
  lockDebt,
  openSession,
  paidBy,
  type SandboxCharge,
  type SandboxSession,
  scriptIndex,
  sessionById,
  setSessionStatus,
} from './sandboxLedger.js';
import { declineOf, outcomeOfCharge, type SandboxOutcome } from './sandboxOutcomes.js';

export interface SandboxPspOptions {
  readonly pool: Pool;
  /** Base of the checkout page's address. */
  readonly baseUrl: string;
  readonly logger: Logger;
  /** How long `slow` takes, ms. */
  readonly slowness?: number;
}

/** What became of a checkout page. */
export type CheckoutResult =
  | { readonly status: 'paid'; readonly session: SandboxSession; readonly reference: string }
  | { readonly status: 'declined'; readonly session: SandboxSession; readonly failure: Failure }
  /** Another checkout of the same debt took its place. */
  | { readonly status: 'expired'; readonly session: SandboxSession };

const newId = (prefix: string): string => `${prefix}_sandbox_${randomUUID().replaceAll('-', '')}`;

/** The charge of a checkout page has the page for a key. */
const checkoutKey = (session: string): string => `checkout:${session}`;

const answerOf = (charge: SandboxCharge): ChargeOutcome =>
  charge.status === 'succeeded'
    ? { status: 'succeeded', reference: charge.id }
    : { status: 'declined', failure: charge.failure ?? {}, reference: charge.id };

/**
 * A PSP to try things with, and an independent witness: what it charged stands in its own books
 * (sandboxLedger.ts), which know nothing of the event log. Like Stripe it answers a known idempotency key with the
 * first result; another key is another charge, also of a debt that is paid, so that a double charge shows.
 */
export class SandboxPsp implements Psp {
  readonly #options: SandboxPspOptions;
  readonly #logger: Logger;

  constructor(options: SandboxPspOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ component: 'sandbox-psp' });
  }

  async charge(debt: Debt, idempotencyKey: string, requestId?: string): Promise<ChargeOutcome> {
    try {
      return await this.#inTransaction(debt.paymentId, async (client) => {
        const known = await chargeByKey(client, idempotencyKey);
        const call = { kind: 'charge', idempotency_key: idempotencyKey, payment_id: debt.paymentId } as const;
        if (known !== undefined) {
          await insertCall(client, { ...call, outcome: known.status, replayed: true, request_id: requestId });
          return () => answerOf(known);
        }
        const outcome = outcomeOfCharge(debt, await scriptIndex(client, debt.paymentId));
        await insertCall(client, { ...call, outcome: outcome.kind, replayed: false, request_id: requestId });
        return this.#perform(client, debt, idempotencyKey, outcome);
      });
    } catch (error) {
      this.#logger.warn({ err: error, payment_id: debt.paymentId, request_id: requestId }, 'charge failed');
      return { status: 'unknown', reason: 'sandbox_unavailable' };
    }
  }

  async lookup(debt: Debt, idempotencyKey: string, requestId?: string): Promise<ChargeOutcome> {
    try {
      const charge = await chargeByKey(this.#options.pool, idempotencyKey);
      await insertCall(this.#options.pool, {
        kind: 'lookup',
        idempotency_key: idempotencyKey,
        payment_id: debt.paymentId,
        outcome: charge?.status ?? 'not_found',
        replayed: false,
        request_id: requestId,
      });
      return charge === undefined ? { status: 'not_found' } : answerOf(charge);
    } catch (error) {
      this.#logger.warn({ err: error, payment_id: debt.paymentId, request_id: requestId }, 'lookup failed');
      return { status: 'unknown', reason: 'sandbox_unavailable' };
    }
  }

  async openCheckout(debt: Debt, page: CheckoutPage): Promise<Checkout> {
    return this.#inTransaction<Checkout>(debt.paymentId, async (client) => {
      const call = {
        kind: 'checkout',
        idempotency_key: page.idempotencyKey,
        payment_id: debt.paymentId,
      } as const;
      const paid = await paidBy(client, debt.paymentId);
      const outcome = paid === undefined ? 'open' : 'already_paid';
      await insertCall(client, { ...call, outcome, replayed: false, request_id: page.requestId });
      if (paid !== undefined) {
        const by = paid.origin === 'checkout' ? 'checkout' : 'other';
        return () => ({ status: 'already_paid', reference: paid.id, by });
      }
      const { idempotencyKey, successUrl: returnUrl } = page;
      const id = await openSession(client, debt, { id: newId('cs'), idempotencyKey, returnUrl });
      if (page.previous !== undefined && page.previous !== id)
        await setSessionStatus(client, page.previous, 'expired');
      return () => ({
        status: 'open',
        url: `${this.#options.baseUrl}/sandbox/checkout/${id}`,
        reference: id,
      });
    });
  }

  /** It has no engine of its own. */
  stopRetries(): Promise<StoppedRetries> {
    return Promise.resolve({ status: 'stopped' });
  }

  /** Under the debt's lock: who pays at the same moment is either seen or refused. */
  async closeCheckout(debt: Debt, reference: string, requestId?: string): Promise<ClosedCheckout> {
    try {
      return await this.#inTransaction<ClosedCheckout>(debt.paymentId, async (client) => {
        const paid = await chargeByKey(client, checkoutKey(reference));
        if (paid === undefined) await setSessionStatus(client, reference, 'expired');
        await insertCall(client, {
          kind: 'checkout',
          idempotency_key: reference,
          payment_id: debt.paymentId,
          outcome: paid === undefined ? 'closed' : 'paid',
          replayed: false,
          request_id: requestId,
        });
        return () => (paid === undefined ? { status: 'closed' } : { status: 'paid', reference: paid.id });
      });
    } catch (error) {
      this.#logger.warn(
        { err: error, payment_id: debt.paymentId, request_id: requestId },
        'checkout not closed',
      );
      return { status: 'undecided', reason: 'sandbox_unavailable' };
    }
  }

  /** For the checkout page; undefined when there is no such session. */
  async session(id: string): Promise<(SandboxSession & { readonly reference?: string }) | undefined> {
    const { pool } = this.#options;
    const [session, paid] = await Promise.all([sessionById(pool, id), chargeByKey(pool, checkoutKey(id))]);
    return session && paid ? { ...session, reference: paid.id } : session;
  }

  /** What the buttons of the checkout page do. A session is paid once: the second click gets the first answer. */
  async completeCheckout(id: string, choice: 'pay' | 'decline'): Promise<CheckoutResult | undefined> {
    const found = await this.session(id);
    if (found === undefined) return undefined;
    return this.#inTransaction<CheckoutResult>(found.payment_id, async (client) => {
      const session = (await sessionById(client, id)) ?? found;
      const known = await chargeByKey(client, checkoutKey(id));
      if (known !== undefined) return () => ({ status: 'paid', session, reference: known.id });
      if (session.status !== 'open') return () => ({ status: 'expired', session });
      if (choice === 'decline')
        return () => ({ status: 'declined', session, failure: declineOf('generic_decline') });
      const reference = newId('ch');
      const charge = {
        id: reference,
        idempotency_key: checkoutKey(id),
        status: 'succeeded',
        failure: null,
      } as const;
      await insertCharge(client, { ...session, ...charge, origin: 'checkout' });
      await setSessionStatus(client, id, 'paid');
      return () => ({ status: 'paid', session: { ...session, status: 'paid' }, reference });
    });
  }

  /** Writes the charge; the answer, which may be late or lost, is given after the commit. */
  async #perform(
    client: PoolClient,
    debt: Debt,
    idempotencyKey: string,
    outcome: SandboxOutcome,
  ): Promise<() => ChargeOutcome | Promise<ChargeOutcome>> {
    if (outcome.kind === 'timeout_unrecorded') return () => ({ status: 'unknown', reason: 'timeout' });
    const id = newId('ch');
    const failure = outcome.kind === 'decline' ? outcome.failure : null;
    await insertCharge(client, {
      id,
      idempotency_key: idempotencyKey,
      org_id: debt.orgId,
      payment_id: debt.paymentId,
      recovery_id: debt.recoveryId,
      transaction_ref: debt.transactionRef,
      amount: debt.amount,
      currency: debt.currency,
      status: failure === null ? 'succeeded' : 'declined',
      failure,
      origin: 'off_session',
    });
    if (failure !== null) return () => ({ status: 'declined', failure, reference: id });
    if (outcome.kind === 'timeout') return () => ({ status: 'unknown', reason: 'timeout' });
    return async () => {
      if (outcome.kind === 'slow') await delay(this.#options.slowness ?? 3_000);
      return { status: 'succeeded', reference: id };
    };
  }

  async #inTransaction<T>(
    paymentId: string,
    work: (client: PoolClient) => Promise<() => T | Promise<T>>,
  ): Promise<T> {
    const client = await this.#options.pool.connect();
    let answer: () => T | Promise<T>;
    try {
      await client.query('BEGIN');
      await lockDebt(client, paymentId);
      answer = await work(client);
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(error as Error); // closed, and so rolled back, without waiting for one that may be silent
      throw error;
    }
    return answer();
  }
}
