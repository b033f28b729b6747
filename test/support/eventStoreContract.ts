/**
 * What every adapter of the EventStore port must do. Streams and organizations are unique per test and nothing is
 * cleaned up, so that the suite can run against a server that others use and write to.
 */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent, RecordedEvent } from '../../src/events/envelope.js';
import {
  type Delivery,
  type EventStore,
  type ExpectedRevision,
  isRevisionConflict,
} from '../../src/events/eventStore.js';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from './eventSamples.js';
import { dating, filtering, reading } from './eventStoreReadingContract.js';
import { expectComplete, follow, writeConcurrently } from './eventWriters.js';

export interface ContractSubject {
  readonly store: EventStore;
  /** A store whose log is empty, where the adapter can give one. */
  readonly empty?: EventStore;
  stop(): Promise<void>;
}

export interface ContractOptions {
  /** True for a log that is never empty and that others append to meanwhile. */
  readonly shared?: boolean;
}

type Get = () => EventStore;

export const eventStoreContract = (
  adapter: string,
  start: () => Promise<ContractSubject>,
  { shared = false }: ContractOptions = {},
): void => {
  describe(`${adapter} as an EventStore`, () => {
    let subject: ContractSubject;
    const get = () => subject.store;
    before(async () => {
      subject = await start();
    });
    after(() => subject.stop());
    describe('append', () => appending(get));
    describe('idempotence', () => repeating(get));
    describe('reading', () => reading(get));
    describe('filters', () => filtering(get, shared));
    describe('instants', () => dating(get));
    describe('subscribe', () => subscribing(get));
    describe('concurrent writers', () => concurring(get));
    if (!shared) describe('an empty log', () => emptiness(() => subject.empty));
  });
};

/** The conflict an append meets, as [expected, actual]. */
const conflictOf = async (append: Promise<unknown>): Promise<[ExpectedRevision, ExpectedRevision]> => {
  try {
    await append;
  } catch (error) {
    if (isRevisionConflict(error)) return [error.expected, error.actual];
    throw error;
  }
  throw new Error('the append succeeded');
};

const refused = async (append: Promise<unknown>): Promise<boolean> =>
  append.then(
    () => false,
    (error: unknown) => error instanceof RangeError,
  );

const appending = (get: Get): void => {
  it('starts a stream at revision 0 and goes on from there', async () => {
    const stream = uniqueStream();
    const first = await get().append(stream, 'no_stream', sampleEvents(1));
    const second = await get().append(stream, 0n, sampleEvents(3));
    expect([first.revision, second.revision]).to.deep.equal([0n, 3n]);
    expect(second.position > first.position).to.equal(true);
  });

  it('tells expected and actual revision of a conflict, and writes nothing', async () => {
    const stream = uniqueStream();
    expect(await conflictOf(get().append(stream, 0n, sampleEvents(1)))).to.deep.equal([0n, 'no_stream']);
    await get().append(stream, 'no_stream', sampleEvents(2));
    for (const expected of ['no_stream', 0n, 2n, 7n] as const)
      expect(await conflictOf(get().append(stream, expected, sampleEvents(2)))).to.deep.equal([expected, 1n]);
    expect(await flatten(get().readStream(stream))).to.have.length(2);
  });

  it('gives back what was written', async () => {
    const stream = uniqueStream();
    const [event] = sampleEvents(1) as [NewEvent];
    const data = { text: 'Zoë "quoted" \\ \n\t ✓ 𝄞', big: 9007199254740991, deep: [{ a: null }, [], {}] };
    const { position } = await get().append(stream, 'no_stream', [{ ...event, data }]);
    const [read] = await flatten(get().readStream(stream));
    const { recorded_at: recordedAt, ...rest } = read as RecordedEvent;
    expect(rest).to.deep.equal({ ...event, data, stream, revision: 0n, position });
    expect(recordedAt).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes the events of one append side by side in the log', async () => {
    const after = await get().head();
    const orgId = randomUUID();
    const appends = Array.from({ length: 20 }, () => sampleEvents(5, { orgId }));
    await Promise.all(appends.map((events) => get().append(uniqueStream(), 'no_stream', events)));
    const { events } = await collect(get().readAll({ after, filter: { orgId } }));
    for (let i = 0; i < events.length; i += 5)
      expect(new Set(events.slice(i, i + 5).map(({ stream }) => stream)).size).to.equal(1);
    expect(idsOf(events)).to.have.members(idsOf(appends.flat()));
  });

  it('lets exactly one of several writers at the same revision win', async () => {
    const stream = uniqueStream();
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => get().append(stream, 'no_stream', sampleEvents(2))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    for (const result of results)
      if (result.status === 'rejected') expect(isRevisionConflict(result.reason)).to.equal(true);
    expect(await flatten(get().readStream(stream))).to.have.length(2);
  });

  it('refuses an append that no log could hold', async () => {
    const [event] = sampleEvents(1) as [NewEvent];
    expect(await refused(get().append(uniqueStream(), 'no_stream', []))).to.equal(true);
    expect(await refused(get().append('', 'no_stream', [event]))).to.equal(true);
    expect(await refused(get().append(uniqueStream(), 'no_stream', [{ ...event, id: 'x' }]))).to.equal(true);
    for (const wrong of [{ schema_version: 1.5 }, { occurred_at: undefined }]) {
      const metadata = { ...event.metadata, ...wrong } as NewEvent['metadata'];
      expect(await refused(get().append(uniqueStream(), 'no_stream', [{ ...event, metadata }]))).to.equal(
        true,
      );
    }
  });
};

const repeating = (get: Get): void => {
  it('answers the same append again with the original result, also when the stream has moved on', async () => {
    const stream = uniqueStream();
    const [first, second, third] = [sampleEvents(2), sampleEvents(1), sampleEvents(3)];
    const results = [
      await get().append(stream, 'no_stream', first),
      await get().append(stream, 1n, second),
      await get().append(stream, 2n, third),
    ];
    expect([
      await get().append(stream, 'no_stream', first),
      await get().append(stream, 1n, second),
      await get().append(stream, 2n, third),
    ]).to.deep.equal(results);
    expect(await flatten(get().readStream(stream))).to.have.length(6);
  });

  it('takes the first part of an earlier append for that part', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(3);
    const { position } = await get().append(stream, 'no_stream', events);
    const again = await get().append(stream, 'no_stream', events.slice(0, 2));
    expect(again.revision).to.equal(1n);
    expect(again.position <= position).to.equal(true);
  });

  it('conflicts when only some of the events were there, in another order, or elsewhere', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(2);
    const more = [...events, ...sampleEvents(1)];
    await get().append(stream, 'no_stream', events);
    expect(await conflictOf(get().append(stream, 'no_stream', more))).to.deep.equal(['no_stream', 1n]);
    expect(await conflictOf(get().append(stream, 'no_stream', events.toReversed()))).to.deep.equal([
      'no_stream',
      1n,
    ]);
    expect(await conflictOf(get().append(stream, 0n, events))).to.deep.equal([0n, 1n]);
  });

  it('takes the same events at the revision where the stream stands for new ones', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(2);
    const first = await get().append(stream, 'no_stream', events);
    const second = await get().append(stream, first.revision, events);
    expect(second.revision).to.equal(3n);
    expect(second.position > first.position).to.equal(true);
    const read = await flatten(get().readStream(stream));
    expect(idsOf(read)).to.deep.equal([...idsOf(events), ...idsOf(events)]);
  });

  it('writes once when the same append is in flight many times', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(2);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => get().append(stream, 'no_stream', events)),
    );
    expect(new Set(results.map(({ position }) => position)).size).to.equal(1);
    expect(idsOf(await flatten(get().readStream(stream)))).to.deep.equal(idsOf(events));
  });
};

const subscribing = (get: Get): void => {
  it('hands over what is there, then what comes, exclusive of the position given', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(6);
    const first = await get().append(stream, 'no_stream', events.slice(0, 1));
    await get().append(stream, 0n, events.slice(1, 3));
    const abort = new AbortController();
    const seen: RecordedEvent[] = [];
    let appended = 3;
    for await (const delivery of get().subscribe({
      after: first.position,
      filter: { stream },
      signal: abort.signal,
    })) {
      if (delivery.kind === 'events') seen.push(...delivery.events);
      else if (appended < 6) {
        await get().append(stream, BigInt(appended - 1), events.slice(appended, appended + 1));
        appended += 1;
      }
      if (seen.length === 5) abort.abort();
    }
    expect(idsOf(seen)).to.deep.equal(idsOf(events.slice(1)));
  });

  it('resumes from a checkpoint after every delivery, without skipping or repeating', async () => {
    const orgId = randomUUID();
    let checkpoint = await get().head();
    const events = sampleEvents(9, { orgId });
    const append = async (some: readonly NewEvent[]): Promise<void> => {
      await get().append(uniqueStream(), 'no_stream', some);
      await get().append(uniqueStream(), 'no_stream', sampleEvents(2));
    };
    await append(events.slice(0, 4));
    await append(events.slice(4, 5));
    const seen: RecordedEvent[] = [];
    // A subscriber that dies after each delivery and begins again from what it stored.
    for (let written = 5; seen.length < 9;)
      for await (const delivery of get().subscribe({ after: checkpoint, filter: { orgId }, pageSize: 2 })) {
        if (delivery.kind === 'events') seen.push(...delivery.events);
        else await append(events.slice(written, (written += 2)));
        expect(delivery.position >= checkpoint).to.equal(true);
        checkpoint = delivery.position;
        break;
      }
    expect(idsOf(seen)).to.deep.equal(idsOf(events));
  });

  it('says caught_up only when everything before it was handled', async () => {
    const stream = uniqueStream();
    const after = await get().head();
    await get().append(stream, 'no_stream', sampleEvents(10));
    const abort = new AbortController();
    let handled = 0;
    let last: Delivery | undefined;
    for await (const delivery of get().subscribe({ after, pageSize: 2, signal: abort.signal })) {
      last = delivery;
      if (delivery.kind === 'caught_up') break;
      await sleep(2);
      handled += delivery.events.filter((event) => event.stream === stream).length;
    }
    abort.abort();
    expect(handled).to.equal(10);
    expect((last?.position ?? 0n) >= after).to.equal(true);
  });

  it('ends when told to, in the middle of the log or waiting for more', async () => {
    for (const after of [await get().head(), 0n]) {
      const abort = new AbortController();
      for await (const { kind } of get().subscribe({ after, pageSize: 1, signal: abort.signal })) {
        // Waiting: told later, when nothing else would wake it.
        if (kind === 'caught_up') setTimeout(() => abort.abort(), 50);
        else abort.abort();
      }
      expect(abort.signal.aborted).to.equal(true);
    }
    expect(await collect(get().subscribe({ after: 0n, signal: AbortSignal.abort() }))).to.deep.equal({
      events: [],
    });
    expect(await collect(get().readAll({ after: 0n, signal: AbortSignal.abort() }))).to.deep.equal({
      events: [],
    });
  });
};

const concurring = (get: Get): void => {
  it('shows subscribers and readers every event once and in order', async () => {
    const orgId = randomUUID();
    const after = await get().head();
    let total = Infinity;
    const following = [1, 2, 3].map(() => follow(get(), after, orgId, () => total));
    const written = await writeConcurrently([get()], orgId);
    total = written.length;
    // The followers look at the total with each delivery: one more event of another tenant makes them look.
    await get().append(uniqueStream(), 'no_stream', sampleEvents(1));
    for (const seen of await Promise.all(following)) expectComplete(seen, written);
    expectComplete((await collect(get().readAll({ after, filter: { orgId }, pageSize: 5 }))).events, written);
  });
};

const emptiness = (getEmpty: () => EventStore | undefined): void => {
  it('has head 0, no page, and is caught up at once', async function () {
    const store = getEmpty();
    if (store === undefined) return this.skip();
    expect(await store.head()).to.equal(0n);
    expect(await collect(store.readAll({ after: 0n }))).to.deep.equal({ events: [], caughtUp: 0n });
    expect(await collect(store.subscribe({ after: 0n }))).to.deep.equal({ events: [], caughtUp: 0n });
    expect(await flatten(store.readLines({ after: 0n }))).to.deep.equal([]);
    expect(await store.lag(0n, ['Sampled'], 10)).to.deep.equal({ events: 0 });
  });
};
