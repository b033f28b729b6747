import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { LaneRunner } from './laneRunner.js';
import { Progress } from './progress.js';

const runner = (concurrency: number, signal = new AbortController().signal) =>
  new LaneRunner({ concurrency, signal, onFailure: () => undefined });

describe('LaneRunner', () => {
  it('keeps the order within a key, runs keys side by side, and never more than allowed', async () => {
    const lanes = runner(4);
    const order: string[] = [];
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        lanes.run(`k${i % 6}`, async () => {
          most = Math.max(most, ++running);
          await sleep(i % 3);
          order.push(`k${i % 6}:${i}`);
          running--;
        }),
      ),
    );
    expect(most).to.equal(4);
    for (let key = 0; key < 6; key++) {
      const own = order
        .filter((entry) => entry.startsWith(`k${key}:`))
        .map((entry) => Number(entry.split(':')[1]));
      expect(own).to.deep.equal([...own].sort((a, b) => a - b));
    }
  });

  it('tries a failing task again, holding up its own key only', async () => {
    const lanes = runner(1);
    const done: string[] = [];
    let failures = 2;
    const poisoned = lanes.run('a', async () => {
      await Promise.resolve();
      if (failures-- > 0) throw new Error('not yet');
      done.push('a1');
    });
    const behind = lanes.run('a', async () => void done.push('a2'));
    const other = lanes.run('b', async () => void done.push('b'));
    expect(await Promise.all([poisoned, behind, other])).to.deep.equal([true, true, true]);
    expect(done).to.deep.equal(['b', 'a1', 'a2']);
  });

  it('gives up what is not done when the signal aborts', async () => {
    const stop = new AbortController();
    const result = runner(1, stop.signal).run('a', () => Promise.reject(new Error('never')));
    stop.abort();
    expect(await result).to.equal(false);
  });
});

describe('Progress', () => {
  it('property: stands before the first unfinished position, whatever the order of finishing', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt(1n, 500n), { minLength: 1, maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        (raw, picks) => {
          const positions = raw.sort((a, b) => (a < b ? -1 : 1));
          const progress = new Progress(0n);
          positions.forEach((position) => progress.begin(position));
          progress.pass(600n);
          const open = [...positions];
          while (open.length > 0) {
            const [finished] = open.splice((picks.next().value ?? 0) % open.length, 1);
            progress.finish(finished ?? 0n);
            const first = open[0];
            if (first === undefined) expect(progress.position).to.equal(600n);
            else {
              expect(progress.position < first).to.equal(true);
              const before = positions[positions.indexOf(first) - 1] ?? 0n;
              expect(progress.position).to.equal(before);
            }
          }
        },
      ),
    ));
});
