import { createServer } from 'node:net';
import type { Config } from '../config.js';

/** On a developer's machine the development pages are for that machine only. */
export const hostOf = ({ host, environment }: Config): string =>
  host ?? (environment === 'development' ? '127.0.0.1' : '0.0.0.0');

/** The port to serve on, for certain free: 0 becomes a free one, because links name the port. @throws EADDRINUSE */
export const settlePort = (config: Config): Promise<Config> =>
  new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(config.port, hostOf(config), () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done({ ...config, port }));
    });
  });
