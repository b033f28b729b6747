import { expect } from 'chai';
import { silentLogger as logger } from '../../kernel/logger.js';
import { backoff, delayMs, persistently } from './backoff.js';

describe('backoff', () => {
  it('doubles up to a bound, half of it jitter', () => {
    const failures = [1, 2, 3, 7, 8, 1000];
    expect(failures.map((n) => delayMs(n, 1))).to.deep.equal([50, 100, 200, 3200, 5000, 5000]);
    expect(failures.map((n) => delayMs(n, 0))).to.deep.equal([25, 50, 100, 1600, 2500, 2500]);
  });

  it('ends at the abort', () => backoff(1000, AbortSignal.timeout(10))).timeout(2000);

  it('tries until it succeeds, or until the abort', async () => {
    const { signal } = new AbortController();
    let failures = 2;
    const work = () => (failures-- > 0 ? Promise.reject(new Error('not yet')) : Promise.resolve(7));
    expect(await persistently(work, logger, signal)).to.equal(7);
    const never = () => Promise.reject(new Error('never'));
    expect(await persistently(never, logger, AbortSignal.timeout(100))).to.equal(undefined);
  });
});
