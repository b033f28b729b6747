import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { idsOf, sampleEvents, uniqueStream } from './eventSamples.js';

const WRITERS = 16;
const APPENDS = 12;

/** One writer: appends of one to three events over a few streams, at random moments. */
const write = async (store: EventStore, orgId: string): Promise<string[]> => {
  const streams = Array.from({ length: 3 }, () => ({ stream: uniqueStream(), count: 0 }));
  const ids: string[] = [];
  for (let i = 0; i < APPENDS; i++) {
    const target = streams[i % 3] as { stream: string; count: number };
    const events = sampleEvents(1 + (i % 3), { orgId });
    const expected = target.count === 0 ? 'no_stream' : BigInt(target.count - 1);
    await sleep(Math.random() * 8);
    await store.append(target.stream, expected, events);
    target.count += events.length;
    ids.push(...idsOf(events));
  }
  return ids;
};

/** 0 skipped, 0 doubled, positions ascending, each stream's revisions in order. */
export const expectComplete = (seen: readonly RecordedEvent[], written: readonly string[]): void => {
  expect(new Set(idsOf(seen)).size, 'doubled').to.equal(seen.length);
  expect(idsOf(seen)).to.have.members(written);
  const revisions = new Map<string, bigint>();
  let last = -1n;
  for (const { position, stream, revision } of seen) {
    expect(position > last, 'position ascends').to.equal(true);
    last = position;
    expect(revision).to.equal((revisions.get(stream) ?? -1n) + 1n);
    revisions.set(stream, revision);
  }
};

/** Subscribes from `after` until `count` events of the organization were seen. */
export const follow = async (
  store: EventStore,
  after: bigint,
  orgId: string,
  count: () => number,
): Promise<RecordedEvent[]> => {
  const seen: RecordedEvent[] = [];
  const signal = AbortSignal.timeout(20_000);
  for await (const delivery of store.subscribe({ after, signal, filter: { orgId }, pageSize: 7 })) {
    if (delivery.kind === 'events') seen.push(...delivery.events);
    if (seen.length >= count()) break;
  }
  return seen;
};

/** 16 writers, dealt out to the stores given; answers with the ids written. */
export const writeConcurrently = async (stores: readonly EventStore[], orgId: string): Promise<string[]> => {
  const writers = Array.from({ length: WRITERS }, (_, i) =>
    write(stores[i % stores.length] as EventStore, orgId),
  );
  return (await Promise.all(writers)).flat();
};
