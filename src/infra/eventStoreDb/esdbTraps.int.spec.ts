/** The known faults of the client package and the surprises of the server, each with the test that it does no harm. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { esdbFixture, outcomeOf } from '../../../test/support/eventStoreDb/fixture.js';
import { EsdbLog, jsonBytes, type Proposal } from '../../../test/support/eventStoreDb/log.js';
import type { RecordedEvent } from '../../events/envelope.js';
import { isRevisionConflict } from '../../events/eventStore.js';
import { parseAddress } from './esdbAddress.js';

const written = (data: Uint8Array, type = 'Foreign', metadata = jsonBytes({})): Proposal => ({
  id: randomUUID(),
  type,
  contentType: 'application/json',
  data,
  metadata,
});

describe('EsdbEventStore and the faults of the client package', () => {
  const { server, store } = esdbFixture();

  it('shares no batch: a server that dies takes no append of another store with it', async () => {
    const [dying, healthy] = [await server(), await server()];
    const [first, second] = [store(dying.url), store(healthy.url)];
    dying.quirks.unanswered = 1;
    healthy.quirks.unanswered = 1; // answered at the second try: in flight while the other server dies
    const lost = outcomeOf(first.append(uniqueStream(), 'no_stream', sampleEvents(1)));
    const kept = second.append(uniqueStream(), 'no_stream', sampleEvents(2));
    await sleep(100);
    await dying.stop();
    expect((await kept).revision).to.equal(1n);
    expect(await lost).to.equal('unavailable');
    expect(dying.calls.batchAppend + healthy.calls.batchAppend).to.equal(0);
  });

  it('tells the actual revision of a conflict, whatever the URL says of throwing', async () => {
    const double = await server();
    const log = store(`${double.url}&throwOnAppendFailure=false`);
    const stream = uniqueStream();
    await log.append(stream, 'no_stream', sampleEvents(6));
    const conflict = await log.append(stream, 2n, sampleEvents(1)).catch((error: unknown) => error);
    expect(isRevisionConflict(conflict) && conflict.actual).to.equal(5n);
  });

  it('is caught up after the events were handled, whenever the server says so', async () => {
    const double = await server();
    double.quirks.eager = true;
    const log = store(double.url);
    const stream = uniqueStream();
    const after = await log.head();
    const stop = new AbortController();
    const seen: RecordedEvent[] = [];
    const announced: { readonly position: bigint; readonly handled: number }[] = [];
    const options = { after, filter: { stream }, pageSize: 2, signal: stop.signal };
    for await (const delivery of log.subscribe(options)) {
      await sleep(1);
      if (delivery.kind === 'events') seen.push(...delivery.events);
      else if (announced.push({ position: delivery.position, handled: seen.length }) === 1)
        await log.append(stream, 'no_stream', sampleEvents(5));
      else if (seen.length === 5) stop.abort();
    }
    expect(seen.map(({ revision }) => revision)).to.deep.equal([0n, 1n, 2n, 3n, 4n]);
    for (const { position, handled } of announced)
      expect(handled).to.equal(seen.filter((event) => event.position <= position).length);
  });

  it('gives up on a silent server within three seconds, and the append it may have taken is there once', async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, events] = [uniqueStream(), sampleEvents(2)];
    await log.head();
    double.hang();
    const start = performance.now();
    expect(await outcomeOf(log.append(stream, 'no_stream', events))).to.equal('unavailable');
    expect(await outcomeOf(flatten(log.readStream(stream)))).to.equal('unavailable');
    expect(performance.now() - start).to.be.lessThan(3000);
    double.resume();
    await sleep(1100);
    const { revision } = await log.append(stream, 'no_stream', events);
    expect(revision).to.equal(1n);
    expect(idsOf(await flatten(log.readStream(stream)))).to.deep.equal(idsOf(events));
  });

  it('keeps positions and numbers beyond 2^53', async () => {
    const big = 2n ** 60n + 1n;
    const double = await server({ bare: true, log: new EsdbLog(big) });
    const log = store(double.url);
    const [stream, orgId] = [uniqueStream(), randomUUID()];
    const data = Uint8Array.from(Buffer.from('{"amount":9007199254740993,\n"rate":1.10}'));
    double.log.append(stream, 'any', [written(data, 'Sampled', jsonBytes({ org_id: orgId }))]);
    const [read] = await flatten(log.readStream(stream));
    expect(read?.position).to.equal(big);
    expect(await log.head()).to.equal(big);
    const [line] = await flatten(log.readLines({ after: 0n, filter: { orgId } }));
    expect(line).to.include('"data":{"amount":9007199254740993, "rate":1.10}');
    expect(line).to.include(`"position":"${big}"`);
    const rest = await collect(log.readAll({ after: big }));
    expect(rest).to.deep.equal({ events: [], caughtUp: big });
  });

  it('finds no node without ending the process', async () => {
    const log = store('esdb://127.0.0.1:1,127.0.0.1:2?tls=false');
    expect(await outcomeOf(log.head())).to.equal('unavailable');
    expect(await outcomeOf(log.append(uniqueStream(), 'no_stream', sampleEvents(1)))).to.equal('unavailable');
  });

  it('never shows a password: not in an error, not on the console', () => {
    const said: string[] = [];
    const { warn } = console;
    console.warn = (...parts: unknown[]) => void said.push(parts.join(' '));
    try {
      for (const url of ['http://u:hunter2@host', 'esdb://u:hunter2@', 'esdb://u:hunter2@host:port'])
        expect(() => parseAddress(url, 'x')).to.throw(/^EVENTSTORE_URL((?!hunter2).)*$/s);
      parseAddress('kurrentdb+discover://u:hunter2@host?colour=red', 'x');
    } finally {
      console.warn = warn;
    }
    expect(said.join()).not.to.include('hunter2');
  });

  it('sends the login over TLS only', () => {
    expect(parseAddress('esdb://u:p@h', 'x').authorization).to.equal('Basic dTpw');
    expect(parseAddress('esdb://u:p@h?tls=false', 'x').authorization).to.equal(undefined);
  });
});

describe('EsdbEventStore and what else a server holds', () => {
  const { server, store } = esdbFixture();

  it("passes over the server's events, links, metadata and what others wrote", async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, orgId] = [uniqueStream(), randomUUID()];
    const after = await log.head();
    const events = sampleEvents(3, { orgId });
    await log.append(stream, 'no_stream', events.slice(0, 1));
    const notOurs: Proposal[] = [
      written(jsonBytes({ a: 1 })),
      written(Uint8Array.from([0, 255]), 'Sampled', jsonBytes({ org_id: orgId })),
      { ...written(jsonBytes(1)), contentType: 'application/octet-stream' },
      written(Uint8Array.from(Buffer.from(`0@${stream}`)), '$>', jsonBytes({ org_id: orgId })),
      written(jsonBytes({}), 'Sampled', Uint8Array.from([123])),
    ];
    double.log.append('invoices-1', 'any', notOurs);
    double.log.addSystemEvent();
    double.log.setMetadata(stream, { $maxCount: 100 });
    await log.append(stream, 0n, events.slice(1));
    double.log.addSystemEvent();
    const { events: seen, caughtUp } = await collect(log.readAll({ after, pageSize: 2 }));
    expect(idsOf(seen)).to.deep.equal(idsOf(events));
    expect(caughtUp).to.equal(await log.head());
    expect(idsOf((await collect(log.subscribe({ after }))).events)).to.deep.equal(idsOf(events));
    expect(await flatten(log.readStream('invoices-1'))).to.deep.equal([]);
    expect((await log.lag(after, ['Sampled', '$>'], 10)).events).to.equal(3);
  });

  it('reads truncated streams from where they begin, and goes on past tombstones', async () => {
    const double = await server();
    const log = store(double.url);
    const [cut, capped, dead] = [uniqueStream(), uniqueStream(), uniqueStream()];
    const after = await log.head();
    for (const stream of [cut, capped, dead]) await log.append(stream, 'no_stream', sampleEvents(6));
    double.log.setMetadata(cut, { $tb: 4 });
    double.log.setMetadata(capped, { $maxCount: 1 });
    double.log.tombstone(dead);
    const revisions = async (stream: string) =>
      (await flatten(log.readStream(stream, { pageSize: 4 }))).map(({ revision }) => revision);
    expect(await revisions(cut)).to.deep.equal([4n, 5n]);
    expect(await revisions(capped)).to.deep.equal([5n]);
    expect(await revisions(dead)).to.deep.equal([]);
    expect(await outcomeOf(log.append(dead, 5n, sampleEvents(1)))).to.equal(9);
    expect((await log.append(cut, 5n, sampleEvents(1))).revision).to.equal(6n);
    const { events: all } = await collect(log.readAll({ after }));
    expect(all).to.have.length(19);
    double.log.scavenge();
    const [first, gone] = all as [RecordedEvent, RecordedEvent];
    for (const position of [after, first.position, gone.position])
      expect((await collect(log.readAll({ after: position }))).events).to.have.length(4);
  });

  it('catches a subscription up over a part of the log of which nothing is left', async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, after, stop] = [uniqueStream(), await log.head(), new AbortController()];
    await log.append(stream, 'no_stream', sampleEvents(3));
    const first = log.subscribe({ after, signal: stop.signal })[Symbol.asyncIterator]();
    expect((await first.next()).value?.kind).to.equal('events'); // the tail begins behind them
    double.log.tombstone(stream);
    double.log.scavenge();
    const { events, caughtUp } = await collect(log.subscribe({ after }));
    expect(events).to.deep.equal([]);
    expect(caughtUp).not.to.equal(undefined);
    stop.abort();
    await first.return?.(undefined);
  });

  it('opens a deleted stream again with its numbers, once', async () => {
    const double = await server();
    const log = store(double.url);
    const stream = uniqueStream();
    await log.append(stream, 'no_stream', sampleEvents(3));
    double.log.delete(stream);
    expect(await flatten(log.readStream(stream))).to.deep.equal([]);
    const events = sampleEvents(2);
    const result = await log.append(stream, 'no_stream', events);
    expect(result.revision).to.equal(4n);
    expect(await log.append(stream, 'no_stream', events)).to.deep.equal(result);
    const read = await flatten(log.readStream(stream));
    expect(read.map(({ revision }) => revision)).to.deep.equal([3n, 4n]);
    expect(await outcomeOf(log.append(stream, 'no_stream', sampleEvents(2)))).to.equal('RevisionConflict');
  });

  it('looks up the position that an answer leaves out, and refuses a server that tells none', async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, events] = [uniqueStream(), sampleEvents(3)];
    const result = await log.append(stream, 'no_stream', events);
    double.quirks.positionless = 'appends';
    expect(await log.append(stream, 'no_stream', events)).to.deep.equal(result);
    double.quirks.positionless = 'all';
    const refused = await log.head().catch((error: unknown) => error);
    expect(String(refused)).to.include('22.6');
  });

  it('is read by the official client as it wrote', async () => {
    const double = await server();
    const log = store(double.url);
    const client = EventStoreDBClient.connectionString(double.url);
    const stream = uniqueStream();
    const [event] = sampleEvents(1);
    await log.append(stream, 'no_stream', event === undefined ? [] : [event]);
    await client.appendToStream(stream, jsonEvent({ type: 'Foreign', data: {} }), { expectedRevision: 0n });
    const read = [];
    for await (const { event: found } of client.readStream(stream)) read.push(found);
    expect(read.map((found) => [found?.type, found?.revision])).to.deep.equal([
      ['Sampled', 0n],
      ['Foreign', 1n],
    ]);
    expect(read[0]?.metadata).to.deep.equal(event?.metadata);
    await client.deleteStream(stream);
    expect(await flatten(log.readStream(stream))).to.deep.equal([]);
    await client.tombstoneStream(stream);
    expect(await outcomeOf(client.appendToStream(stream, jsonEvent({ type: 'X', data: {} })))).to.equal(9);
    await client.dispose();
  });
});
