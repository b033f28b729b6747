import { expect } from 'chai';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { flatten, sampleMetadata } from '../../../test/support/eventSamples.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.js';
import type { NewEvent } from '../../events/envelope.js';
import { type EventStore, type ExpectedRevision, isRevisionConflict } from '../../events/eventStore.js';
import { MemoryEventStore } from './memoryEventStore.js';
import { PgEventStore } from './pgEventStore.js';

/** An append of events from a small pool, so that repeats, overlaps and conflicts are common. */
interface Op {
  readonly stream: number;
  readonly expected: ExpectedRevision;
  readonly ids: readonly number[];
}

const op: fc.Arbitrary<Op> = fc.record({
  stream: fc.nat(2),
  expected: fc.oneof(fc.constant<ExpectedRevision>('no_stream'), fc.bigInt(0n, 4n)),
  ids: fc.oneof(
    fc
      .tuple(fc.nat(4), fc.integer({ min: 1, max: 3 }))
      .map(([from, n]) => [0, 1, 2].slice(0, n).map((i) => from + i)),
    fc.array(fc.nat(6), { minLength: 1, maxLength: 3 }),
  ),
});

const metadata = sampleMetadata();
const eventOf = (run: string, id: number): NewEvent => ({
  id: `${run}-0000-4000-8000-00000000000${id}`,
  type: 'Sampled',
  data: { id },
  metadata,
});

/** What an append led to, with positions counted from where the run began. */
const outcomeOf = async (store: EventStore, run: string, { stream, expected, ids }: Op, base: bigint) => {
  try {
    const events = ids.map((id) => eventOf(run, id));
    const { revision, position } = await store.append(`model-${run}-${stream}`, expected, events);
    return { revision, position: position - base };
  } catch (error) {
    if (!isRevisionConflict(error)) throw error;
    return { expected: error.expected, actual: error.actual };
  }
};

describe('PgEventStore against its model', function () {
  this.timeout(60_000);
  let db: TestDatabase;
  let store: PgEventStore;
  before(async () => {
    db = await createTestDatabase();
    store = new PgEventStore({ pool: db.pool });
  });
  after(async () => {
    await store.close();
    await db.drop();
  });

  const streamsOf = async (from: EventStore, run: string) => {
    const streams = [];
    for (const stream of [0, 1, 2]) {
      const events = await flatten(from.readStream(`model-${run}-${stream}`));
      streams.push(events.map(({ id, revision, data }) => ({ id, revision, data })));
    }
    return streams;
  };

  it('gives the results of the memory store for any sequence of appends', () =>
    fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 12 }), async (ops) => {
        const [run, memory, base] = [randomUUID().slice(0, 8), new MemoryEventStore(), await store.head()];
        for (const one of ops)
          expect(await outcomeOf(store, run, one, base)).to.deep.equal(await outcomeOf(memory, run, one, 0n));
        expect(await streamsOf(store, run)).to.deep.equal(await streamsOf(memory, run));
        expect((await store.head()) - base).to.equal(await memory.head());
      }),
      { numRuns: 60 },
    ));

  it('gives them also when the appends are in flight together, in batches', () =>
    fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 2, maxLength: 20 }), async (ops) => {
        const [run, memory, base] = [randomUUID().slice(0, 8), new MemoryEventStore(), await store.head()];
        const outcomes = await Promise.all(ops.map((one) => outcomeOf(store, run, one, base)));
        for (const [index, one] of ops.entries()) {
          // Different streams may overtake each other, so positions may differ; nothing else may.
          const { position: _, ...wanted } = { position: 0n, ...(await outcomeOf(memory, run, one, 0n)) };
          expect(outcomes[index]).to.deep.include(wanted);
        }
        expect(await streamsOf(store, run)).to.deep.equal(await streamsOf(memory, run));
        expect((await store.head()) - base).to.equal(await memory.head());
      }),
      { numRuns: 60 },
    ));
});
