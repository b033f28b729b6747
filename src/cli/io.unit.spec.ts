import { Writable } from 'node:stream';
import { setImmediate as tick } from 'node:timers/promises';
import { expect } from 'chai';
import { createIo, OutputClosed } from './io.js';

/** Takes one write at a time, when told to. */
const slowStream = () => {
  const taken: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void taken.push(() => done()),
  });
  return { stream, take: () => taken.shift()?.() };
};

describe('output of the command line', () => {
  it('waits until the reader has taken what was printed, and leaves no listeners', async () => {
    const { stream, take } = slowStream();
    const io = createIo(stream, stream, false);
    const before = stream.listenerCount('drain') + stream.listenerCount('close');
    for (let n = 0; n < 20; n++) {
      let printed = false;
      const printing = io.print('x').then(() => (printed = true));
      await tick();
      expect(printed).to.equal(false);
      take();
      await printing;
    }
    expect(stream.listenerCount('drain') + stream.listenerCount('close')).to.equal(before);
  });

  it('tells that the reader has gone, while waiting and afterwards', async () => {
    const { stream } = slowStream();
    const io = createIo(stream, stream, false);
    const printing = io.print('x').catch((error: unknown) => error);
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await printing).to.be.instanceOf(OutputClosed);
    expect(await io.print('y').catch((error: unknown) => error)).to.be.instanceOf(OutputClosed);
  });
});
