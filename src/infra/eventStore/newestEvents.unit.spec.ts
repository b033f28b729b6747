import { expect } from 'chai';
import fc from 'fast-check';
import { sampleEvents } from '../../../test/support/eventSamples.js';
import type { RecordedEvent } from '../../events/envelope.js';
import { NewestEvents } from './newestEvents.js';

const [sample] = sampleEvents(1);
const eventAt = (position: bigint): RecordedEvent =>
  ({ ...sample, stream: 's', revision: 0n, position, recorded_at: '' }) as RecordedEvent;

describe('the newest events', () => {
  it('are all there after any position inside the run, whatever is dropped and passed over', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ step: fc.bigInt(1n, 9n), ours: fc.boolean() }), { maxLength: 60 }),
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (log, maxEvents, limit) => {
          const newest = new NewestEvents(maxEvents);
          const ours: bigint[] = [];
          let to = 7n;
          newest.begin(to);
          for (const { step, ours: isOurs } of log) {
            to += step;
            if (isOurs) newest.add(eventAt(to), 10);
            else newest.pass(to);
            if (isOurs) ours.push(to);
            expect(newest.to).to.equal(to);
            for (let at = newest.from ?? 0n; at <= to; at++)
              expect(newest.after(at, limit).map(({ position }) => position)).to.deep.equal(
                ours.filter((position) => position > at).slice(0, limit),
              );
          }
          expect(newest.after(newest.from ?? 0n, 1000)).to.have.length.at.most(maxEvents);
        },
      ),
      { numRuns: 60 },
    ));

  it('keep the newest one, however big, and forget all when told to', () => {
    const newest = new NewestEvents();
    newest.begin(3n);
    for (const position of [4n, 5n]) newest.add(eventAt(position), 32 * 1024 * 1024);
    expect(newest.from).to.equal(4n);
    expect(newest.after(4n, 10)).to.have.length(1);
    newest.clear();
    expect([newest.from, newest.to, newest.after(0n, 10).length]).to.deep.equal([undefined, 0n, 0]);
  });
});
