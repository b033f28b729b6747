/** `npm run test:eventstore`, as a maintainer runs it against a server that others use. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { EsdbEventStore } from '../src/infra/eventStoreDb/esdbEventStore.js';
import { flatten, sampleEvents } from './support/eventSamples.js';
import { startEventStoreDb } from './support/eventStoreDb/double.js';

const runContract = async (EVENTSTORE_URL: string): Promise<{ code: number | null; said: string }> => {
  const child = spawn('npm', ['run', 'test:eventstore', '--', '--reporter', 'dot'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], EVENTSTORE_URL },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const out of [child.stdout, child.stderr])
    out.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, said };
};

describe('npm run test:eventstore', function () {
  this.timeout(120_000);

  it('passes on a server that others write to, and leaves what is theirs', async () => {
    const double = await startEventStoreDb();
    const other = new EsdbEventStore({ url: double.url });
    const stream = `invoices-${randomUUID()}`;
    try {
      await other.ownership.claim(randomUUID());
      const owner = await other.ownership.owner();
      let over = false;
      const contract = runContract(double.url).finally(() => (over = true));
      let written = 0;
      for (; !over; await sleep(20)) {
        await other.append(stream, written === 0 ? 'no_stream' : BigInt(written - 1), sampleEvents(1));
        written += 1;
      }
      const { code, said } = await contract;
      expect(code, said).to.equal(0);
      expect(said)
        .to.match(/\d\d passing/)
        .and.not.match(/pending|failing/);
      expect(await flatten(other.readStream(stream))).to.have.length(written);
      expect(await other.ownership.owner()).to.deep.equal(owner);
      expect(double.calls.remove).to.equal(0);
    } finally {
      await other.close();
      await double.close();
    }
  });

  it('says what it needs', async () => {
    const { code, said } = await runContract('');
    expect(code).to.equal(2);
    expect(said).to.include('Set EVENTSTORE_URL');
  });
});
