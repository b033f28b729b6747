/** A merchant's server: reports failed payments that the first retry wins back, and looks what becomes of them. */
import type { ManualClock } from '../../src/infra/systemClock.js';
import { eventually } from './engine.js';
import { type Reply, type Request, send } from './systemClient.js';

interface Recovery {
  readonly id: string;
  readonly transaction_ref: string;
  readonly status: string;
  readonly next_action: { readonly at: string } | null;
}

export class Merchant {
  #token: string | undefined;

  /** @param clock the system's, moved on to whatever is next */
  constructor(
    private readonly url: () => string,
    private readonly clock: ManualClock,
  ) {}

  call<B = Record<string, unknown>>(path: string, request: Request = {}): Promise<Reply<B>> {
    return send<B>(`${this.url()}${path}`, { token: this.#token, ...request });
  }

  async register(slug: string): Promise<Reply> {
    const account = { email: `owner@${slug}.test`, password: 'correct horse battery', org_name: slug };
    const registered = await this.call('/v1/auth/register', { json: { ...account, org_slug: slug } });
    this.#token = String(registered.body['access_token']);
    return registered;
  }

  report(ref: string): Promise<Reply> {
    return this.call('/v1/events/payment_failed', {
      headers: { 'idempotency-key': ref },
      json: {
        transaction_ref: ref,
        amount: 1900,
        currency: 'EUR',
        customer: { email: `${ref}@customer.test`, name: 'Ada' },
        gateway: 'sandbox',
        failure: { code: 'card_declined', decline_code: 'processing_error' },
        occurred_at: '2026-11-23T10:00:00.000Z',
        metadata: { sandbox_script: 'success' },
      },
    });
  }

  /** Lets time pass to whatever is next until the recovery is over. */
  recovered(ref: string): Promise<Recovery> {
    return eventually(async () => {
      const { body } = await this.call<{ data?: readonly Recovery[] }>('/v1/recoveries');
      const recovery = body.data?.find(({ transaction_ref }) => transaction_ref === ref);
      if (recovery?.status === 'succeeded') return recovery;
      if (recovery?.next_action) this.clock.advanceTo(new Date(recovery.next_action.at));
      return undefined;
    }, 30_000);
  }
}
