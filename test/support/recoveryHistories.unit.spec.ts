import { expect } from 'chai';
import { assertValid } from '../../src/events/registry.js';
import { paymentEvents } from '../../src/events/payment.js';
import { recoveryEvents } from '../../src/events/recovery.js';
import { recoveryHistories } from './recoveryHistories.js';

describe('recovery histories', () => {
  const events = recoveryHistories({ seed: 1, recoveries: 400 });

  it('are valid by every schema and use every type of payments and recoveries', () => {
    for (const { type, data } of events) assertValid(type, data);
    const types = new Set(events.map(({ type }) => type));
    expect([...types]).to.have.members([...Object.keys(paymentEvents), ...Object.keys(recoveryEvents)]);
  });

  it('are the same for the same seed and others for another', () => {
    expect(recoveryHistories({ seed: 1, recoveries: 400 })).to.deep.equal(events);
    expect(recoveryHistories({ seed: 2, recoveries: 400 })).not.to.deep.equal(events);
  });

  it('are numbered without gaps, in log and in streams, and never go back in time', () => {
    const revisions = new Map<string, bigint>();
    events.forEach((event, index) => {
      expect(event.position).to.equal(BigInt(index + 1));
      expect(event.revision).to.equal((revisions.get(event.stream) ?? -1n) + 1n);
      revisions.set(event.stream, event.revision);
      expect(event.recorded_at >= (events[index - 1]?.recorded_at ?? '')).to.equal(true);
    });
  });
});
