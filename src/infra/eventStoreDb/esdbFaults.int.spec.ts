/** A server that goes away and comes back, in every way it can. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect, flatten, idsOf, sampleEvents, uniqueStream } from '../../../test/support/eventSamples.js';
import { esdbFixture, outcomeOf } from '../../../test/support/eventStoreDb/fixture.js';
import { eventually } from '../../../test/support/engine.js';
import { expectComplete } from '../../../test/support/eventWriters.js';
import type { NewEvent, RecordedEvent } from '../../events/envelope.js';
import { withTimeBudget } from '../../kernel/timeBudget.js';
import type { AppendResult, EventStore, ExpectedRevision } from '../../events/eventStore.js';

/** What the commands' callers do: the same ids again, until there is an answer. */
const insist = async (
  store: EventStore,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): Promise<AppendResult> => {
  for (;;) {
    try {
      return await store.append(stream, expected, events);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'unavailable') throw error;
      await sleep(50);
    }
  }
};

interface Following {
  readonly seen: RecordedEvent[];
  readonly reaches: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const following = (store: EventStore, after: bigint, orgId: string): Following => {
  const abort = new AbortController();
  const seen: RecordedEvent[] = [];
  const reading = (async () => {
    for await (const delivery of store.subscribe({ after, filter: { orgId }, signal: abort.signal }))
      if (delivery.kind === 'events') seen.push(...delivery.events);
  })();
  const reaches = async (count: number) => {
    for (const end = Date.now() + 20_000; seen.length < count; await sleep(10))
      if (Date.now() > end) throw new Error(`${seen.length} of ${count} events came`);
  };
  const stop = async () => {
    abort.abort();
    await reading;
  };
  return { seen, reaches, stop };
};

describe('EsdbEventStore and a server that fails', function () {
  this.timeout(60_000);
  const { server, store } = esdbFixture();

  it('subscribes again after a cut connection and after a restart, without a gap or a repetition', async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, orgId] = [uniqueStream(), randomUUID()];
    const follower = following(log, await log.head(), orgId);
    const written: string[] = [];
    const append = async () => {
      const events = sampleEvents(2, { orgId });
      await insist(log, stream, written.length === 0 ? 'no_stream' : BigInt(written.length - 1), events);
      written.push(...idsOf(events));
    };
    await append();
    await follower.reaches(2);
    for (const fail of [() => Promise.resolve(double.cut()), double.stop, double.stop]) {
      await fail();
      await double.start();
      await append();
      await follower.reaches(written.length);
    }
    await follower.stop();
    expectComplete(follower.seen, written);
  });

  it('loses nothing acknowledged and writes nothing twice when the server restarts among writers', async () => {
    const double = await server();
    const log = store(double.url);
    const orgId = randomUUID();
    const after = await log.head();
    const follower = following(log, after, orgId);
    const write = async (): Promise<string[]> => {
      const [stream, ids] = [uniqueStream(), [] as string[]];
      for (let i = 0; i < 12; i++) {
        const events = sampleEvents(1 + (i % 2), { orgId });
        await insist(log, stream, ids.length === 0 ? 'no_stream' : BigInt(ids.length - 1), events);
        ids.push(...idsOf(events));
        await sleep(Math.random() * 40);
      }
      return ids;
    };
    const writing = Promise.all(Array.from({ length: 8 }, write));
    for (let i = 0; i < 2; i++) {
      await sleep(120);
      await double.stop();
      await sleep(60);
      await double.start();
    }
    const written = (await writing).flat();
    await follower.reaches(written.length);
    await follower.stop();
    expectComplete(follower.seen, written);
    expectComplete((await collect(log.readAll({ after, filter: { orgId } }))).events, written);
  });

  it('sends an append without an answer again, and it is there once', async () => {
    const double = await server();
    const log = store(double.url);
    const [stream, events] = [uniqueStream(), sampleEvents(2)];
    double.quirks.unanswered = 1;
    const result = await log.append(stream, 'no_stream', events);
    expect(double.calls.append).to.equal(2);
    expect(await log.append(stream, 'no_stream', events)).to.deep.equal(result);
    expect(await flatten(log.readStream(stream))).to.have.length(2);
  });

  it('follows the leader when it changes, and back', async () => {
    const first = await server();
    const second = await server({ log: first.log });
    const log = store(first.url);
    const [stream, orgId] = [uniqueStream(), randomUUID()];
    const follower = following(log, await log.head(), orgId);
    first.quirks.leader = { host: '127.0.0.1', port: second.port };
    await log.append(stream, 'no_stream', sampleEvents(1, { orgId }));
    expect([first.calls.append, second.calls.append]).to.deep.equal([1, 1]);
    await follower.reaches(1);
    first.cut();
    await eventually(() => Promise.resolve(second.calls.subscribe === 1));
    first.quirks.leader = undefined;
    await second.stop();
    await insist(log, stream, 0n, sampleEvents(1, { orgId }));
    await follower.reaches(2);
    await follower.stop();
    expect(first.calls.subscribe).to.be.greaterThan(0);
  });

  it('finds the leader of a cluster by asking any node, and its successor', async () => {
    const first = await server();
    const nodes = [first, await server({ log: first.log })];
    const lead = (leader: number): void => {
      const cluster = nodes.map(
        ({ port }, i) => ({ port, state: i === leader ? 'LEADER' : 'FOLLOWER' }) as const,
      );
      for (const [i, { quirks }] of nodes.entries()) {
        quirks.cluster = cluster;
        quirks.leader = i === leader ? undefined : { host: '127.0.0.1', port: nodes[leader]?.port ?? 0 };
      }
    };
    const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
    for (const [leader, url] of [
      [1, `esdb://${hosts.join()}?tls=false`],
      [0, `esdb+discover://${hosts[1]}?tls=false`],
    ] as const) {
      lead(leader);
      const log = store(url);
      const appended = (): number[] => nodes.map(({ calls }) => calls.append);
      const before = appended();
      await log.append(uniqueStream(), 'no_stream', sampleEvents(1));
      expect(appended()[leader]).to.equal((before[leader] ?? 0) + 1);
      expect(appended()[1 - leader]).to.equal(before[1 - leader]);
      lead(1 - leader);
      nodes[leader]?.cut();
      await insist(log, uniqueStream(), 'no_stream', sampleEvents(1));
      expect(appended()[1 - leader]).to.equal((before[1 - leader] ?? 0) + 1);
    }
  });

  it('notices a subscription that fell silent', async () => {
    const double = await server();
    const log = store(double.url, { watchMs: 50 });
    const orgId = randomUUID();
    const follower = following(log, await log.head(), orgId);
    await sleep(100);
    double.quirks.mute = true;
    await log.append(uniqueStream(), 'no_stream', sampleEvents(3, { orgId }));
    double.quirks.mute = false;
    await follower.reaches(3);
    await follower.stop();
    expect(double.calls.subscribe).to.equal(2);
  });

  it('leaves a quiet subscription alone', async () => {
    const double = await server();
    const log = store(double.url, { watchMs: 20 });
    const follower = following(log, await log.head(), randomUUID());
    await sleep(50);
    double.log.addSystemEvent();
    await sleep(250);
    await follower.stop();
    expect(double.calls.subscribe).to.equal(1);
  });

  it('refuses at once while the server rests, and goes on when it is back', async () => {
    const double = await server();
    const log = store(double.url);
    const stream = uniqueStream();
    await double.stop();
    expect(await outcomeOf(log.append(stream, 'no_stream', sampleEvents(1)))).to.equal('unavailable');
    const calls = Array.from({ length: 50 }, () => outcomeOf(log.head()));
    expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['unavailable']));
    await double.start();
    const events = sampleEvents(1);
    expect((await insist(log, stream, 'no_stream', events)).revision).to.equal(0n);
  });

  it('sends nothing for a request that ran out of time behind another append', async () => {
    const double = await server();
    const log = store(double.url);
    const stream = uniqueStream();
    double.quirks.slow = { reads: 0, appends: 500 };
    const first = log.append(stream, 'no_stream', sampleEvents(1));
    const hasty = withTimeBudget(50, () => outcomeOf(log.append(stream, 0n, sampleEvents(1))));
    expect(await hasty).to.equal('unavailable');
    const next = log.append(stream, 0n, sampleEvents(1));
    expect((await first).revision).to.equal(0n);
    expect((await next).revision).to.equal(1n);
    expect(double.calls.append).to.equal(2);
  });

  it('thinks no worse of a server for a request that had no time left', async () => {
    const double = await server();
    const log = store(double.url);
    const hasty = (ms: number) => withTimeBudget(ms, () => outcomeOf(log.head()));
    expect(await hasty(60_000)).to.equal('done');
    double.quirks.slow = { reads: 300, appends: 0 };
    expect([await hasty(50), await hasty(0)]).to.deep.equal(['unavailable', 'unavailable']);
    expect(await outcomeOf(log.head())).to.equal('done');
  });

  it('waits for a server that is not there yet, and stops waiting when told to', async () => {
    const double = await server();
    await double.stop();
    const log = store(double.url);
    const orgId = randomUUID();
    const [patient, other] = [following(log, 0n, orgId), following(log, 0n, orgId)];
    await sleep(100);
    await other.stop();
    await double.start();
    await insist(log, uniqueStream(), 'no_stream', sampleEvents(1, { orgId }));
    await patient.reaches(1);
    await patient.stop();
  });

  it('shares one subscription, also with those who fall behind what it holds', async () => {
    const double = await server();
    const log = store(double.url, { watchMs: 5000, keptEvents: 64 });
    const orgId = randomUUID();
    const after = await log.head();
    const fast = [1, 2, 3].map(() => following(log, after, orgId));
    const slow: RecordedEvent[] = [];
    const abort = new AbortController();
    const crawling = (async () => {
      for await (const delivery of log.subscribe({ after, filter: { orgId }, signal: abort.signal })) {
        if (delivery.kind === 'events') slow.push(...delivery.events);
        if (slow.length < 600) await sleep(slow.length < 50 ? 200 : 1);
        else abort.abort();
      }
    })();
    const written: string[] = [];
    for (let i = 0; i < 60; i++) {
      const events = sampleEvents(10, { orgId });
      await log.append(uniqueStream(), 'no_stream', events);
      written.push(...idsOf(events));
    }
    for (const follower of fast) await follower.reaches(600);
    await crawling;
    await Promise.all(fast.map((follower) => follower.stop()));
    for (const seen of [slow, ...fast.map((follower) => follower.seen)]) expectComplete(seen, written);
    expect(double.calls.subscribe).to.equal(1);
  });
});
