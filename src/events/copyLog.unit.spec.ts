import { expect } from 'chai';
import fc from 'fast-check';
import { collect, sampleEvents } from '../../test/support/eventSamples.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { type CopyPhase, copyLog } from './copyLog.js';
import type { RecordedEvent } from './envelope.js';
import type { EventStore } from './eventStore.js';

const STREAMS = ['a', 'b', 'c'];

/** Appends one event after another to the streams given. */
const fill = async (store: EventStore, streams: readonly string[]): Promise<void> => {
  for (const stream of streams) {
    const { events } = await collect(store.readAll({ after: 0n, filter: { stream } }));
    await store.append(stream, events.at(-1)?.revision ?? 'no_stream', sampleEvents(1));
  }
};

const kept = ({ id, stream, revision, type, data, metadata }: RecordedEvent) => ({
  ...{ id, stream, revision, type, data, metadata },
});
const contentOf = async (store: EventStore) => (await collect(store.readAll({ after: 0n }))).events.map(kept);

/** The store with another way to append. */
const appending = (store: EventStore, append: EventStore['append']): EventStore => ({
  append,
  readStream: (...args) => store.readStream(...args),
  readAll: (options) => store.readAll(options),
  readFacts: (options) => store.readFacts(options),
  subscribe: (options) => store.subscribe(options),
  readLines: (options) => store.readLines(options),
  head: () => store.head(),
  lag: (...args) => store.lag(...args),
  positionBefore: (instant) => store.positionBefore(instant),
  close: () => store.close(),
});

/** A store that fails at its n-th append, before or after writing. */
const failing = (store: EventStore, at: number, written: boolean): EventStore => {
  let appends = 0;
  return appending(store, async (...args) => {
    const fails = ++appends === at;
    if (fails && !written) throw new Error('killed');
    const result = await store.append(...args);
    if (fails) throw new Error('killed');
    return result;
  });
};

const refusal = (copying: Promise<unknown>): Promise<string> =>
  copying.then(
    () => 'copied',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('copying a log', () => {
  let source: MemoryEventStore;
  let target: MemoryEventStore;
  beforeEach(() => {
    source = new MemoryEventStore();
    target = new MemoryEventStore();
  });

  it('ends with the same log, wherever it was interrupted', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...STREAMS), { maxLength: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (streams, at, written) => {
          const [from, to] = [new MemoryEventStore(), new MemoryEventStore()];
          await fill(from, streams);
          const interrupted = await refusal(copyLog(from, failing(to, at, written)));
          expect(interrupted).to.be.oneOf(['copied', 'Error: killed']);
          const { events } = await copyLog(from, to);
          expect(events).to.equal(streams.length);
          expect(await contentOf(to)).to.deep.equal(await contentOf(from));
        },
      ),
      { numRuns: 50 },
    ));

  it('says how many it copied, and hashes what is in both', async () => {
    await fill(source, ['a', 'a', 'b']);
    const first = await copyLog(source, target);
    expect(first).to.include({ events: 3, copied: 3, source_position: 3n, target_position: 3n });
    expect(first.sha256).to.match(/^[0-9a-f]{64}$/);
    expect(await copyLog(source, target)).to.deep.equal({ ...first, copied: 0 });
    await fill(source, ['a']);
    const { sha256, ...second } = await copyLog(source, target);
    expect(second).to.include({ events: 4, copied: 1 });
    expect(sha256).not.to.equal(first.sha256);
  });

  it('tells of its three phases', async () => {
    await fill(source, ['a', 'b']);
    await copyLog(source, target);
    await fill(source, ['c']);
    const told: [CopyPhase, number][] = [];
    await copyLog(source, target, { onProgress: ({ phase, events }) => told.push([phase, events]) });
    expect(told).to.deep.equal([
      ['comparing', 1],
      ['comparing', 2],
      ['copying', 3],
      ['verifying', 3],
    ]);
  });

  it('stops when it is told to, and goes on later', async () => {
    await fill(source, ['a', 'b', 'a']);
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    expect(await refusal(copyLog(source, target, { signal: stop.signal, onProgress }))).to.contain('Abort');
    expect(await contentOf(target)).to.have.length(1);
    expect(await copyLog(source, target)).to.include({ events: 3, copied: 2 });
  });

  for (const [what, streams] of [
    ['another log', ['a']],
    ['the same streams with other events', ['a', 'b']],
  ] as const)
    it(`refuses a target that holds ${what}`, async () => {
      await fill(source, ['a', 'b']);
      await fill(target, streams);
      expect(await refusal(copyLog(source, target))).to.match(/^LogsDiverge: The source has a#0/);
      expect(await contentOf(target)).to.have.length(streams.length);
    });

  it('believes no copy of a source that was written to meanwhile, and takes the rest along when run again', async () => {
    await fill(source, ['a', 'b']);
    let late = false;
    const busy = appending(target, async (...args) => {
      if (!late) await fill(source, ['c']);
      late = true;
      return target.append(...args);
    });
    expect(await refusal(copyLog(source, busy))).to.contain('was written to during the copy');
    expect(await copyLog(source, target)).to.include({ events: 3, copied: 1 });
  });

  it('refuses a target that goes on', async () => {
    await fill(source, ['a']);
    await copyLog(source, target);
    await fill(target, ['b']);
    expect(await refusal(copyLog(source, target))).to.contain('goes on where the source ends: b#0');
  });

  it('refuses a target in which the metadata or the data is another', async () => {
    const [event] = sampleEvents(1);
    if (event === undefined) throw new Error('no sample');
    const { metadata } = event;
    await source.append('a', 'no_stream', [event]);
    for (const other of [{ data: { n: 2 } }, { metadata: { ...metadata, schema_version: 2 } }]) {
      const changed = new MemoryEventStore();
      await changed.append('a', 'no_stream', [{ ...event, ...other }]);
      expect(await refusal(copyLog(source, changed))).to.contain('LogsDiverge');
    }
  });

  it('does not believe a target that loses what it was given', async () => {
    await fill(source, ['a', 'b']);
    const forgetful = appending(target, async (stream, expected, events) =>
      stream === 'b' ? { revision: 0n, position: 0n } : target.append(stream, expected, events),
    );
    expect(await refusal(copyLog(source, forgetful))).to.contain('holds 1 of 2 events');
  });
});
