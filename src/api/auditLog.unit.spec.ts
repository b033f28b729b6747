import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Response } from 'express';
import { expect } from 'chai';
import type { EventStore } from '../events/eventStore.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { ManualClock } from '../infra/systemClock.js';
import { sampleEvents, uniqueStream } from '../../test/support/eventSamples.js';
import { auditPage, streamAuditLog } from './auditLog.js';

const START = Date.parse('2026-11-24T10:00:00.000Z');
const at = (minute: number): string => new Date(START + minute * 60_000).toISOString();
const never = new AbortController().signal;

/** An event a minute, and a note of how many lines were read. */
const minutes = async (count: number) => {
  const clock = new ManualClock(new Date(START));
  const store = new MemoryEventStore({ clock });
  for (let minute = 0; minute < count; minute++) {
    clock.advanceTo(new Date(START + minute * 60_000));
    await store.append(uniqueStream(), 'no_stream', sampleEvents(1));
  }
  const read = { lines: 0 };
  const { readLines } = store;
  store.readLines = async function* (options) {
    for await (const lines of readLines.call(store, options)) {
      read.lines += lines.length;
      yield lines;
    }
  };
  return { store, read };
};

describe('the audit log', () => {
  it('cuts the period out of the log before it reads, and reads no more than asked for', async () => {
    const { store, read } = await minutes(200);
    const question = { filter: {}, after: 0n, from: at(150), to: at(190) };
    const first = await auditPage(store, { ...question, limit: 10 }, never);
    const positions = first.events.map(({ position }) => Number(position));
    expect(positions).to.deep.equal(Array.from({ length: 10 }, (_, index) => 151 + index));
    expect(first.more).to.equal(true);
    expect(read.lines).to.be.at.most(22);
    const rest = await auditPage(store, { ...question, after: 160n, limit: 50 }, never);
    expect([rest.events.length, rest.more]).to.deep.equal([30, false]);
  });

  it('ends with its client', async () => {
    const { store } = await minutes(50);
    const gone = AbortSignal.abort();
    const answer = auditPage(store, { filter: {}, after: 0n, from: at(10), limit: 10 }, gone);
    expect(await answer.catch((error: Error) => error.name)).to.equal('AbortError');
  });

  it('reads at the pace of its client, and stops when it goes', async () => {
    let pages = 0;
    const line = JSON.stringify({ position: '1', filler: 'x'.repeat(1_000) });
    const store = {
      head: () => Promise.resolve(10n ** 9n),
      async *readLines({ signal }) {
        for (; signal?.aborted !== true; pages++) yield await Promise.resolve(Array<string>(500).fill(line));
      },
    } as Partial<EventStore> as EventStore;
    let over: Promise<unknown> = Promise.resolve();
    const server = createServer((_req, res) => {
      const gone = new AbortController();
      res.once('close', () => gone.abort());
      over = streamAuditLog(store, { filter: {}, after: 0n }, gone.signal, res as Response).catch(
        (error: unknown) => error,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answer = await new Promise<IncomingMessage>((resolve) => get({ port }, resolve));
    const still = async (): Promise<number> => {
      for (let before = -1; before !== pages;) {
        before = pages;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return pages;
    };
    const unread = await still();
    expect(unread).to.be.at.most(40); // what the sockets of both ends hold, at half a megabyte each
    const heapBefore = process.memoryUsage().heapUsed;
    let received = 0;
    for await (const chunk of answer) if ((received += (chunk as Buffer).length) > 100_000_000) break;
    expect(process.memoryUsage().heapUsed - heapBefore).to.be.lessThan(64 * 1024 * 1024);
    answer.destroy();
    expect(await over).to.have.property('name', 'ClientGone');
    expect(await still()).to.equal(pages);
    server.close();
  });
});
