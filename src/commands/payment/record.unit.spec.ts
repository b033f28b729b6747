import { expect } from 'chai';
import { flatten } from '../../../test/support/eventSamples.js';
import { codeOf, IdentityWorld } from '../../../test/support/identityWorld.js';
import { paymentStream } from '../../events/payment.js';
import { orgIdOf } from '../../kernel/ids.js';
import type { Principal } from '../../kernel/principal.js';
import { recordPaymentFailure, recordPaymentSuccess } from './record.js';

const AT = '2026-01-01T00:00:00.000Z';
const failure = {
  transaction_ref: 'inv_1',
  amount: 4900,
  currency: 'EUR',
  customer: {},
  gateway: 'sandbox',
  failure: {},
  trigger_id: 'a',
  failed_at: AT,
};
const success = { transaction_ref: 'inv_1', source: 'external', trigger_id: 's', succeeded_at: AT } as const;
const acme = orgIdOf('acme');

describe('recording facts of payments', () => {
  let world: IdentityWorld;
  beforeEach(() => {
    world = new IdentityWorld();
  });
  const by = (actor: Principal['actor'], role?: Principal['role'], orgId = acme) => ({
    ...world.origin(),
    principal: { actor, orgId, ...(role !== undefined && { role }) },
  });
  const user = { type: 'user', id: 'ann' } as const;

  it('is for admins, users, the PSP and the system', async () => {
    for (const context of [
      by(user, 'viewer'),
      by(user, 'auditor'),
      by(user),
      by({ type: 'customer', id: 'link' }),
    ]) {
      expect(await codeOf(recordPaymentFailure(world.store, failure, context))).to.equal('forbidden');
      expect(await codeOf(recordPaymentSuccess(world.store, success, context))).to.equal('forbidden');
    }
    expect(await world.store.head()).to.equal(0n);
    for (const context of [by(user, 'admin'), by(user, 'user'), by({ type: 'psp', id: 'stripe' })]) {
      expect(await codeOf(recordPaymentFailure(world.store, failure, context))).to.equal('ok');
      expect(await codeOf(recordPaymentSuccess(world.store, success, context))).to.equal('ok');
    }
  });

  it("never touches another organization's payment of the same reference", async () => {
    const ours = await recordPaymentFailure(world.store, failure, by(user, 'user'));
    const stranger = by(user, 'user', orgIdOf('other'));
    expect(await codeOf(recordPaymentSuccess(world.store, success, stranger))).to.equal('amount_required');
    const theirs = await recordPaymentFailure(world.store, failure, stranger);
    expect(theirs.paymentId).not.to.equal(ours.paymentId);
  });

  it('refuses a time that cannot be meant', async () => {
    for (const at of ['1999-12-31T23:59:59.999Z', '2026-01-02T00:00:01.000Z']) {
      const context = by(user, 'user');
      const failing = recordPaymentFailure(world.store, { ...failure, failed_at: at }, context);
      expect(await codeOf(failing)).to.equal('validation_failed');
      const succeeding = recordPaymentSuccess(world.store, { ...success, succeeded_at: at }, context);
      expect(await codeOf(succeeding)).to.equal('validation_failed');
    }
  });

  it('takes a failure that a clock ahead of ours tells for one of now', async () => {
    const ahead = { ...failure, failed_at: '2026-01-01T05:30:00.000Z' };
    const { paymentId } = await recordPaymentFailure(world.store, ahead, by(user, 'user'));
    const [event] = await flatten(world.store.readStream(paymentStream(paymentId)));
    expect(event?.data).to.include({ failed_at: AT });
    expect(event?.metadata).to.include({ occurred_at: AT });
  });

  it('records every one of many failures at once', async () => {
    const all = Array.from({ length: 32 }, (_, index) =>
      codeOf(recordPaymentFailure(world.store, { ...failure, trigger_id: `t${index}` }, by(user, 'user'))),
    );
    expect(new Set(await Promise.all(all))).to.deep.equal(new Set(['ok']));
    expect(await world.store.head()).to.equal(32n);
  });
});
