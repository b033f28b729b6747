import { expect } from 'chai';
import { aDebt, aPage } from '../../../test/support/debt.js';
import type { PspProvider } from '../../events/organization.js';
import type { Psp } from '../../kernel/ports.js';
import { meansOf, pspRouter } from './pspRouter.js';

const named = (name: string): Psp => ({
  charge: () => Promise.resolve({ status: 'succeeded', reference: name }),
  lookup: () => Promise.resolve({ status: 'succeeded', reference: name }),
  openCheckout: () => Promise.resolve({ status: 'open', url: name, reference: name }),
  stopRetries: () => Promise.resolve({ status: 'left', reason: name }),
  closeCheckout: () => Promise.resolve({ status: 'paid', reference: name }),
});

const router = (connection: PspProvider | undefined | Error, openSandbox = true) =>
  pspRouter({
    sandbox: named('sandbox'),
    stripe: named('stripe'),
    connectionOf: () =>
      connection instanceof Error ? Promise.reject(connection) : Promise.resolve(connection),
    openSandbox,
  });

const routed = async (psp: Psp, gateway: string): Promise<string> => {
  const answer = await psp.charge(aDebt({ gateway }), 'key');
  expect(await psp.lookup(aDebt({ gateway }), 'key')).to.deep.equal(answer);
  if (answer.status === 'succeeded') return answer.reference;
  return answer.status === 'declined' ? (answer.failure.code ?? '') : answer.status;
};

describe('PSP router', () => {
  it('goes by the connection and the gateway', async () => {
    expect(await routed(router('stripe'), 'stripe')).to.equal('stripe');
    expect(await routed(router('sandbox'), 'stripe')).to.equal('sandbox');
    expect(await routed(router('sandbox', false), 'razorpay')).to.equal('sandbox');
    expect(await routed(router('stripe'), 'razorpay')).to.equal('psp_not_connected');
    expect(await routed(router(undefined), 'stripe')).to.equal('psp_not_connected');
  });

  it('opens the sandbox to everybody, but not in production', async () => {
    expect(await routed(router(undefined), 'sandbox')).to.equal('sandbox');
    expect(await routed(router(undefined, false), 'sandbox')).to.equal('psp_not_connected');
  });

  it('does not know the outcome when it does not know the connection', async () => {
    expect(await routed(router(new Error('down')), 'stripe')).to.equal('unknown');
  });

  it('tells how a debt can be collected', async () => {
    const means = (connection: PspProvider | undefined, references: Record<string, string> = {}) =>
      meansOf({ connectionOf: () => Promise.resolve(connection), openSandbox: true })(
        aDebt({ gateway: 'stripe', references }),
      );
    expect(await means('stripe', { payment_intent: 'pi_1' })).to.deep.equal({
      chargeable: true,
      payable: true,
    });
    expect(await means('stripe', { invoice: 'in_1' })).to.deep.equal({ chargeable: true, payable: true });
    expect(await means('stripe')).to.deep.equal({ chargeable: false, payable: true });
    expect(await means('sandbox')).to.deep.equal({ chargeable: true, payable: true });
    expect(await means(undefined)).to.deep.equal({ chargeable: false, payable: false });
  });

  it('opens checkouts the same way', async () => {
    const page = aPage('k');
    expect(await router('stripe').openCheckout(aDebt({ gateway: 'stripe' }), page)).to.have.property(
      'reference',
      'stripe',
    );
    const refused = await router(undefined)
      .openCheckout(aDebt({ gateway: 'stripe' }), page)
      .catch((error: unknown) => error);
    expect(refused).to.have.property('code', 'unavailable');
    const closed = (by: Psp) => by.closeCheckout(aDebt({ gateway: 'stripe' }), 'cs_1');
    expect(await closed(router('stripe'))).to.include({ reference: 'stripe' });
    expect(await closed(router(undefined))).to.deep.equal({ status: 'closed' });
    expect(await closed(router(new Error('down')))).to.include({ status: 'undecided' });
  });
});
