import { expect } from 'chai';
import { type ActWorld, actWorld, LOST, ORG, PAYMENT_ID, scheduler } from '../../../test/support/actWorld.js';
import { aCharge } from '../../../test/support/credentialSamples.js';
import { credentialStream } from '../../events/credential.js';
import { paymentStream } from '../../events/payment.js';
import { HOUR, MINUTE, plus } from '../../kernel/clock.js';
import type { FaultPoint } from '../../kernel/faults.js';
import { deriveId } from '../../kernel/ids.js';
import { namesOf, onCredential } from '../credential/attempts.js';
import type { Verdict } from '../credential/decide.js';
import { load } from '../handle.js';
import { paymentDecider } from '../payment/decide.js';

const diedAt = async (point: FaultPoint): Promise<ActWorld> => {
  const world = await actWorld({ decline_code: 'insufficient_funds' });
  world.advance(HOUR);
  const faults = (reached: FaultPoint): void => {
    if (reached === point) throw new Error('killed');
  };
  await world.run({ faults }).catch(() => undefined);
  world.advance(2 * MINUTE);
  return world;
};

const credentialOf = async ({ store }: ActWorld): Promise<string> => {
  const { state } = await load(store, paymentDecider, paymentStream(PAYMENT_ID));
  if (state.status !== 'failed') throw new Error('it has not failed');
  return namesOf(ORG, state.last).id;
};

/** Another recovery of the same card learns it. */
const learnt = async (world: ActWorld, verdict: Verdict): Promise<void> => {
  const { now } = world.context();
  const data = { triggerId: 't9', charge: aCharge({ brand: 'unknown' }), verdict, at: now };
  const commandId = deriveId('test', 'learnt');
  const context = { ...world.context(), principal: scheduler, commandId };
  await onCredential(
    world.store,
    { id: await credentialOf(world) },
    { type: 'RecordExternalAttempt', data },
    context,
  );
};

const bans: Readonly<Record<string, (now: string) => Verdict>> = {
  'forbids any other charge': () => ({ retry: 'never' }),
  'wants none for an hour': (now) => ({ retry: 'allowed', earliest_at: plus(now, HOUR) }),
};

describe('a slot that was taken before a crash', () => {
  for (const [what, verdict] of Object.entries(bans)) {
    it(`is of no use once another decline ${what}: the retry is dropped`, async () => {
      const world = await diedAt('retry:after-reserve');
      await learnt(world, verdict(world.context().now));
      await world.run();
      expect(world.psp.asked).to.deep.equal([]);
      expect(await world.types()).to.include('RetryDropped');
    });

    it(`is of no use once another decline ${what}: what may not have been asked is only looked up`, async () => {
      const world = await diedAt('retry:after-intent');
      await learnt(world, verdict(world.context().now));
      await world.run();
      expect(world.psp.asked).to.deep.equal(['lookup']);
    });
  }

  for (const point of ['retry:after-reserve', 'retry:after-intent'] as const)
    it(`is taken anew, as of the charge (${point})`, async () => {
      const world = await diedAt(point);
      await world.run();
      const credential = credentialStream(await credentialOf(world));
      const taken = (await world.events(credential)).filter(({ type }) => type === 'AttemptReserved');
      expect(world.psp.asked).to.deep.equal(['charge']);
      expect(taken).to.have.length(2);
      expect(taken[1]?.data).to.include({ reserved_at: world.context().now, attempt: 1 });
    });

  describe('of a payment that has another card now', () => {
    const AMEX = { payment_method: { id: 'pm_1', fingerprint: 'fp_1' } };
    const VISA = { payment_method: { id: 'pm_2', fingerprint: 'fp_2' } };
    const SOFT = { decline_code: 'insufficient_funds' };
    const replaced = async (declines: number): Promise<ActWorld> => {
      const world = await actWorld({ ...SOFT, card_brand: 'amex' }, [LOST], AMEX);
      const charge = aCharge({ amount: 990, brand: 'amex' });
      const old = await credentialOf(world);
      world.advance(HOUR);
      await world.run();
      world.advance(MINUTE);
      const { now: at } = world.context();
      for (let n = 1; n <= declines; n++) {
        const data = { triggerId: `other-${n}`, charge, verdict: { retry: 'allowed' as const }, at };
        const context = { ...world.context(), commandId: deriveId('other', String(n)) };
        await onCredential(world.store, { id: old }, { type: 'RecordExternalAttempt', data }, context);
      }
      await world.fail({ ...SOFT, card_brand: 'visa' }, VISA);
      world.advance(MINUTE);
      await world.run();
      return world;
    };

    it('is judged by the limits of the card that is charged', async () => {
      expect((await replaced(12)).psp.asked).to.deep.equal(['charge', 'lookup']);
    });

    it('is taken anew where the card that is charged has room', async () => {
      const world = await replaced(8);
      expect(world.psp.asked).to.deep.equal(['charge', 'charge']);
      const old = deriveId('credential', ORG, 'sandbox', 'fingerprint', 'fp_1');
      const taken = await world.events(credentialStream(old));
      expect(
        taken.flatMap(({ type, data }) =>
          type === 'AttemptReserved' ? [(data as { brand: string }).brand] : [],
        ),
      ).to.deep.equal(['amex', 'amex']);
    });
  });

  it('is of no use once the same payment failed for good: what may not have been asked is only looked up', async () => {
    const world = await diedAt('retry:after-intent');
    await world.fail({ decline_code: 'expired_card' });
    await world.run();
    expect(world.psp.asked).to.deep.equal(['lookup']);
  });
});
