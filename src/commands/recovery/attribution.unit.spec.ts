import { expect } from 'chai';
import { type ActWorld, actWorld, ORG } from '../../../test/support/actWorld.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { HOUR, plus } from '../../kernel/clock.js';
import { attributionOf, type PspReport } from './attribution.js';

const AT = plus(T0, HOUR);
const report = (over: Partial<PspReport> = {}): PspReport => ({
  transactionRef: 'inv_1',
  triggerId: 'ch_9',
  references: { payment_intent: 'pi_1' },
  occurredAt: AT,
  ...over,
});

describe('a report of the PSP that names no request of ours', () => {
  let world: ActWorld;
  const asked = (over: Partial<PspReport> = {}) => attributionOf(world.store, ORG, report(over));

  beforeEach(async () => {
    const about = { gateway: 'stripe', references: { payment_intent: 'pi_1' } };
    const processing = { status: 'unknown', reason: 'processing' } as const;
    world = await actWorld({ decline_code: 'insufficient_funds' }, [processing], about);
  });

  it('is of nobody before an attempt of ours, and of a payment that is not known', async () => {
    expect(await asked()).to.deep.equal({ known: false, byLink: false });
    expect(await asked({ transactionRef: 'other' })).to.deep.equal({ known: false, byLink: false });
  });

  it('is the answer to the attempt that is open on the object, unless it is older', async () => {
    world.advance(HOUR);
    await world.run();
    const { attempt } = await asked();
    expect(attempt?.attempt).to.equal(1);
    for (const other of [{ references: { payment_intent: 'pi_2' } }, { occurredAt: T0 }])
      expect(await asked(other)).to.not.have.property('attempt');
  });

  it('is by our link when the page was of that object', async () => {
    world.psp.checkouts = [{ status: 'open', url: 'http://pay', reference: 'in_1' }];
    await world.checkout();
    expect((await asked({ references: { invoice: 'in_1' } })).byLink).to.equal(true);
    expect((await asked()).byLink).to.equal(false);
  });

  it('is known when the recovery was told of it', async () => {
    expect(await asked({ triggerId: 't1' })).to.deep.include({ known: true });
  });
});
