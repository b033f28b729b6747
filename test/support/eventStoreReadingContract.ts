/** The part of the EventStore contract about reading: streams, the log, filters and instants. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NewEvent, RecordedEvent } from '../../src/events/envelope.js';
import type { EventStore } from '../../src/events/eventStore.js';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from './eventSamples.js';

type Get = () => EventStore;

export const reading = (get: Get): void => {
  it('reads a stream in pages, from after a revision, and no page of an absent one', async () => {
    const stream = uniqueStream();
    const events = sampleEvents(5);
    await get().append(stream, 'no_stream', events);
    const pages: string[][] = [];
    for await (const page of get().readStream(stream, { after: 0n, pageSize: 2 })) pages.push(idsOf(page));
    expect(pages.flat()).to.deep.equal(idsOf(events.slice(1)));
    expect(pages.every(({ length }) => length > 0 && length <= 2)).to.equal(true);
    expect(await flatten(get().readStream(uniqueStream()))).to.deep.equal([]);
  });

  it('resumes after each position without skipping or repeating', async () => {
    const orgId = randomUUID();
    const start = await get().head();
    const written = sampleEvents(12, { orgId });
    for (const event of written) await get().append(uniqueStream(), 'no_stream', [event]);
    const filter = { orgId };
    const { events } = await collect(get().readAll({ after: start, filter }));
    expect(idsOf(events)).to.deep.equal(idsOf(written));
    for (const [index, { position }] of events.entries()) {
      const rest = await collect(get().readAll({ after: position, filter, pageSize: 3 }));
      expect(idsOf(rest.events)).to.deep.equal(idsOf(written.slice(index + 1)));
    }
  });

  it('hands over pages whose position is safe to store', async () => {
    const orgId = randomUUID();
    const start = await get().head();
    const written = sampleEvents(10, { orgId });
    await get().append(uniqueStream(), 'no_stream', written);
    const ids: string[] = [];
    let after = start;
    // A reader that dies after every page and starts again from the position it stored.
    for (let ended = false; !ended;)
      for await (const delivery of get().readAll({ after, pageSize: 3, filter: { orgId } })) {
        ended = delivery.kind === 'caught_up';
        if (delivery.kind === 'events') ids.push(...idsOf(delivery.events));
        expect(delivery.position >= after).to.equal(true);
        after = delivery.position;
        break;
      }
    expect(ids).to.deep.equal(idsOf(written));
  });

  it('reads facts: every event, with at least what folds ask of its metadata', async () => {
    const [orgId, after] = [randomUUID(), await get().head()];
    const [asked, other] = [`X${orgId.slice(0, 8)}`, `Y${orgId.slice(0, 8)}`];
    for (const type of [asked, other, asked])
      await get().append(uniqueStream(), 'no_stream', sampleEvents(2, { orgId, type }));
    for (const filter of [{ orgId }, { types: [asked, other] }]) {
      const { events } = await collect(get().readAll({ after, filter }));
      // Pages so large that a store may read several at once, and small ones.
      for (const pageSize of [1_000, 2]) {
        const options = { after, filter, pageSize, attributed: [asked] };
        const { events: facts, caughtUp } = await collect(get().readFacts(options));
        expect(caughtUp).to.be.a('bigint');
        expect(facts).to.have.length(6);
        for (const [index, fact] of facts.entries()) {
          const { metadata, ...event } = events[index] as RecordedEvent;
          const { org_id, occurred_at, schema_version, actor } = metadata;
          const attributed = event.type === asked ? { actor } : {};
          expect(fact).to.deep.include(event);
          expect(fact.metadata).to.deep.include({ org_id, occurred_at, schema_version, ...attributed });
        }
      }
    }
  });

  it('stops at `until`, inclusive, and sees what is appended while it reads', async () => {
    const start = await get().head();
    const stream = uniqueStream();
    await get().append(stream, 'no_stream', sampleEvents(3));
    const [, second] = await flatten(get().readStream(stream));
    const until = (second as RecordedEvent).position;
    const bounded = await collect(get().readAll({ after: start, until, filter: { stream } }));
    expect(bounded.events).to.have.length(2);
    let seen = 0;
    for await (const delivery of get().readAll({ after: start, filter: { stream }, pageSize: 1 })) {
      if (delivery.kind === 'events') seen += delivery.events.length;
      if (seen === 3)
        await get()
          .append(stream, 2n, sampleEvents(1))
          .catch(() => undefined);
    }
    expect(seen).to.equal(4);
  });

  it('never lets recorded_at decrease along the log', async () => {
    const after = await get().head();
    for (let i = 0; i < 5; i++) await get().append(uniqueStream(), 'no_stream', sampleEvents(2));
    const { events } = await collect(get().readAll({ after }));
    const instants = events.map(({ recorded_at: at }) => at);
    expect(instants).to.deep.equal(instants.toSorted());
  });

  it('writes each event as one line of JSON', async () => {
    const after = await get().head();
    const stream = uniqueStream();
    const [event] = sampleEvents(1) as [NewEvent];
    await get().append(stream, 'no_stream', [{ ...event, data: { note: 'two\nlines "and" more' } }]);
    const [read] = await flatten(get().readStream(stream));
    const lines = await flatten(get().readLines({ after, filter: { stream } }));
    expect(lines).to.have.length(1);
    expect(lines[0]).not.to.include('\n');
    const { position, revision, ...rest } = read as RecordedEvent;
    expect(JSON.parse(lines[0] as string)).to.deep.equal({
      ...rest,
      position: String(position),
      revision: Number(revision),
    });
    const keys = Object.keys(JSON.parse(lines[0] as string) as object);
    expect(keys.join()).to.equal('position,stream,revision,id,type,recorded_at,data,metadata');
  });

  it('counts the lag up to a cap', async () => {
    const type = `Sampled${randomUUID().slice(0, 8)}`;
    const after = await get().head();
    await get().append(uniqueStream(), 'no_stream', sampleEvents(3, { type }));
    await get().append(uniqueStream(), 'no_stream', sampleEvents(2));
    const { events: read } = await collect(get().readAll({ after, filter: { types: [type] } }));
    const oldest = (read[0] as RecordedEvent).recorded_at;
    expect(await get().lag(after, [type], 100)).to.deep.equal({ events: 3, oldest });
    expect(await get().lag(after, [type], 2)).to.deep.equal({ events: 2, oldest });
    expect(await get().lag(await get().head(), [type], 100)).to.deep.equal({ events: 0 });
  });
};

export const filtering = (get: Get, shared: boolean): void => {
  it('passes by type, organization and stream, alone and together', async () => {
    const after = await get().head();
    const [orgId, other] = [randomUUID(), randomUUID()];
    const [a, b] = [uniqueStream(), uniqueStream()];
    const [x, y] = [`X${a.slice(-8)}`, `Y${a.slice(-8)}`];
    await get().append(a, 'no_stream', [
      ...sampleEvents(2, { orgId, type: x }),
      ...sampleEvents(1, { orgId, type: y }),
    ]);
    await get().append(b, 'no_stream', [
      ...sampleEvents(1, { orgId: other, type: x }),
      ...sampleEvents(4, { orgId, type: y }),
    ]);
    const count = async (filter: NonNullable<Parameters<EventStore['readAll']>[0]['filter']>) =>
      (await collect(get().readAll({ after, filter, pageSize: 2 }))).events.length;
    expect(await count({ types: [x] })).to.equal(3);
    expect(await count({ types: [x, y] })).to.equal(8);
    expect(await count({ types: [] })).to.equal(0);
    expect(await count({ orgId })).to.equal(7);
    expect(await count({ stream: b })).to.equal(5);
    expect(await count({ stream: b, orgId: other, types: [x] })).to.equal(1);
    expect(await count({ orgId: other, types: [y] })).to.equal(0);
  });

  it('moves the position past events that do not pass', async () => {
    const after = shared ? await get().head() : 0n;
    const { position } = await get().append(uniqueStream(), 'no_stream', sampleEvents(5));
    const head = await get().head();
    const { caughtUp } = await collect(get().readAll({ after, filter: { types: ['Nothing'] } }));
    expect((caughtUp ?? 0n) >= position).to.equal(true);
    // What others append in between moves it further.
    if (!shared) expect(caughtUp).to.equal(head);
  });
};

export const dating = (get: Get): void => {
  it('finds the position before an instant', async () => {
    const orgId = randomUUID();
    const after = await get().head();
    for (let i = 0; i < 3; i++) {
      await get().append(uniqueStream(), 'no_stream', sampleEvents(1, { orgId }));
      await sleep(10);
    }
    const { events } = await collect(get().readAll({ after, filter: { orgId } }));
    for (const [index, { recorded_at: instant }] of events.entries()) {
      const before = await get().positionBefore(instant);
      const rest = await collect(get().readAll({ after: before, filter: { orgId } }));
      expect(idsOf(rest.events)).to.deep.equal(idsOf(events.slice(index)));
    }
    const beyond = await get().positionBefore('9999-01-01T00:00:00.000Z');
    expect((await collect(get().readAll({ after: beyond, filter: { orgId } }))).events).to.deep.equal([]);
  });
};
