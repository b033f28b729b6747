import { expect } from 'chai';
import { ActWorld, actWorld, LedgerPsp, PAYMENT_ID } from '../../../test/support/actWorld.js';
import { paymentStream } from '../../events/payment.js';
import { DomainError } from '../../kernel/errors.js';
import type { Checkout, CheckoutPage, Debt } from '../../kernel/ports.js';

/** Keeps its first answer to a key, as PSPs do. */
class KeepingPsp extends LedgerPsp {
  readonly pages: CheckoutPage[] = [];
  readonly #answers = new Map<string, Promise<Checkout>>();

  override openCheckout(_debt?: Debt, page?: CheckoutPage): Promise<Checkout> {
    if (page === undefined) throw new Error('no page');
    this.pages.push(page);
    const known = this.#answers.get(page.idempotencyKey);
    const answer =
      known ??
      (this.pages.length === 1
        ? Promise.reject(new DomainError('unavailable', 'http 500'))
        : Promise.resolve({
            status: 'open' as const,
            url: 'http://pay',
            reference: `cs_${this.pages.length}`,
          }));
    this.#answers.set(page.idempotencyKey, answer);
    return answer;
  }
}

describe('a customer', () => {
  it('gets through with the next click when the PSP failed once and keeps that answer', async () => {
    const psp = new KeepingPsp();
    const world = new ActWorld(psp, {});
    await world.fail({ decline_code: 'expired_card' });
    const first = await world.checkout().catch((error: { code: string }) => error.code);
    expect(first).to.equal('unavailable');
    expect(await world.checkout()).to.equal('http://pay');
    expect(psp.pages[1]).to.include({ successUrl: 'http://ok', cancelUrl: 'http://no' });
  });

  it('who clicks twice at once is left with one checkout that is known', async () => {
    const world = await actWorld({ decline_code: 'expired_card' });
    expect(await Promise.all([world.checkout(), world.checkout()])).to.deep.equal([
      'http://pay',
      'http://pay',
    ]);
    const opened = (await world.recovery()).flatMap((event) =>
      event.type === 'CheckoutOpened' ? [event.data.checkout] : [],
    );
    expect(opened).to.deep.equal([1, 2]);
    expect(world.psp.asked).to.deep.equal(['checkout', 'checkout', 'checkout']);
  });

  for (const [by, source] of [
    ['checkout', 'link'],
    ['other', 'external'],
  ] as const)
    it(`is not asked to pay again when the PSP knows of the payment (${by}), which is recorded`, async () => {
      const world = await actWorld({ decline_code: 'expired_card' });
      world.psp.checkouts = [{ status: 'already_paid', reference: 'pi_9', by }];
      expect(await world.checkout()).to.equal(undefined);
      const paid = (await world.events(paymentStream(PAYMENT_ID))).at(-1);
      expect(paid?.type).to.equal('PaymentSucceeded');
      expect(paid?.data).to.include({ source, trigger_id: 'pi_9', amount: 4900, currency: 'EUR' });
    });

  it('sees a payment as paid before the recovery knows of it', async () => {
    const world = await actWorld({ decline_code: 'expired_card' });
    expect((await world.open()).status).to.equal('payable');
    await world.paid('link');
    expect((await world.open()).status).to.equal('paid');
    expect(await world.types()).to.not.include('RecoverySucceeded');
  });
});
