import { Agent, get } from 'node:http';
import { expect } from 'chai';
import { silentLogger } from '../kernel/logger.js';
import { createHttpServer } from './server.js';

describe('HTTP server', () => {
  it('finishes what is in flight, then closes kept connections, and takes no new ones', async () => {
    let release = (): void => undefined;
    const arrived = new Promise<void>((seen) => {
      release = seen;
    });
    const server = createHttpServer(
      (_req, res) => {
        release();
        setTimeout(() => res.end('done'), 150);
      },
      { logger: silentLogger },
    );
    const port = await server.listen(0, '127.0.0.1');
    const agent = new Agent({ keepAlive: true });
    const ask = (): Promise<string> =>
      new Promise((resolve, reject) => {
        get({ port, agent, host: '127.0.0.1' }, (res) => {
          res.on('data', (chunk: Buffer) => resolve(chunk.toString()));
        }).on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code)));
      });
    const inFlight = ask();
    await arrived;
    const started = performance.now();
    const closed = server.close();
    expect(await inFlight).to.equal('done');
    await closed;
    expect(performance.now() - started).to.be.below(2000);
    const refused = await ask().catch((error: Error) => error.message);
    expect(refused).to.match(/ECONNREFUSED|ECONNRESET/);
    agent.destroy();
  });

  it('cuts what does not end in time', async () => {
    const server = createHttpServer(() => undefined, { logger: silentLogger, drainMs: 50 });
    const port = await server.listen(0, '127.0.0.1');
    const hanging = new Promise((resolve) => {
      get({ port, host: '127.0.0.1' }).on('error', resolve);
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await server.close();
    expect(await hanging).to.be.instanceOf(Error);
  });
});
