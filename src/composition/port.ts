import { createServer } from 'node:net';
import type { ServeRole } from '../cli/services.js';
import type { Config } from '../config.js';

const HEALTH_PORT = 8001;

/** On a developer's machine the development pages are for that machine only. */
export const hostOf = ({ host, environment }: Config): string =>
  host ?? (environment === 'development' ? '127.0.0.1' : '0.0.0.0');

export const servesApi = (roles: readonly ServeRole[]): boolean =>
  roles.length === 0 || roles.includes('api');

/** Where the process answers /healthz and /readyz beside the API; undefined for nowhere. */
export const healthPortOf = ({ healthPort }: Config, roles: readonly ServeRole[]): number | undefined =>
  healthPort ?? (servesApi(roles) ? undefined : HEALTH_PORT);

/** For certain free: 0 becomes a free one. @throws EADDRINUSE */
const settle = (port: number, host: string): Promise<number> =>
  new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(port, host, () => {
      const { port: free } = probe.address() as { port: number };
      probe.close(() => done(free));
    });
  });

/** The port to serve on, because links name it. @throws EADDRINUSE */
export const settlePort = async (config: Config): Promise<Config> => ({
  ...config,
  port: await settle(config.port, hostOf(config)),
});

/** Every port that these roles need. @throws EADDRINUSE */
export const settlePorts = async (config: Config, roles: readonly ServeRole[]): Promise<Config> => {
  const wanted = healthPortOf(config, roles);
  const health =
    wanted === undefined ? config : { ...config, healthPort: await settle(wanted, hostOf(config)) };
  return servesApi(roles) ? settlePort(health) : health;
};
