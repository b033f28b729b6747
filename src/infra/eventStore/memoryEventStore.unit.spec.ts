import { expect } from 'chai';
import { eventStoreContract } from '../../../test/support/eventStoreContract.js';
import { collect, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { MemoryEventStore } from './memoryEventStore.js';

eventStoreContract('MemoryEventStore', async () => {
  const store = new MemoryEventStore();
  return Promise.resolve({ store, empty: new MemoryEventStore(), stop: () => store.close() });
});

describe('MemoryEventStore', () => {
  it('records at the clock given, and never goes back with it', async () => {
    let now = '2026-11-23T10:00:00.000Z';
    const store = new MemoryEventStore({ clock: { now: () => new Date(now) } });
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1));
    now = '2026-11-23T09:00:00.000Z';
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1));
    const { events } = await collect(store.readAll({ after: 0n }));
    expect(events.map((event) => event.recorded_at)).to.deep.equal([
      '2026-11-23T10:00:00.000Z',
      '2026-11-23T10:00:00.000Z',
    ]);
  });
});
