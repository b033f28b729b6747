import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { inTime, spendingTime, timeLeft, withTimeBudget } from './timeBudget.js';

const BUDGET = 60_000;

describe('a time budget', () => {
  it('is spent by waiting alone', () =>
    withTimeBudget(BUDGET, async () => {
      await sleep(20);
      expect(timeLeft()).to.equal(BUDGET);
      await spendingTime(() => sleep(20));
      expect(timeLeft()).to.be.lessThan(BUDGET - 15);
    }));

  it('counts waits that overlap once, one within another too', () =>
    withTimeBudget(BUDGET, async () => {
      const start = performance.now();
      const nested = () => spendingTime(() => inTime(sleep(50)));
      await Promise.all([nested(), nested(), nested()]);
      expect(BUDGET - timeLeft()).to.be.at.most(performance.now() - start);
    }));

  it('is what whoever waits too long is refused by', async () => {
    const never = new Promise<never>(() => undefined);
    const refusal = (ms: number) =>
      withTimeBudget(ms, () => inTime(never).catch((error: unknown) => (error as { code: string }).code));
    expect([await refusal(10), await refusal(0)]).to.deep.equal(['unavailable', 'unavailable']);
  });

  it("is everybody's own, and nobody's outside", async () => {
    await Promise.all([
      withTimeBudget(BUDGET, () => spendingTime(() => sleep(20))),
      withTimeBudget(BUDGET, async () => {
        await sleep(20);
        expect(timeLeft()).to.equal(BUDGET);
      }),
    ]);
    expect(timeLeft()).to.equal(Infinity);
    expect(await inTime(spendingTime(() => Promise.resolve(7)))).to.equal(7);
  });
});
