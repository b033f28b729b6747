import { createHealthServer } from '../api/healthServer.js';
import type { ServeRole } from '../cli/services.js';
import { healthPortOf, hostOf } from './port.js';
import { readiness } from './readiness.js';
import type { Runtime } from './runtime.js';

/** Answers /healthz and /readyz, from before the roles begin until everything else is closed. */
export const serveHealth = async (runtime: Runtime, roles: readonly ServeRole[]): Promise<void> => {
  const { config, closers } = runtime;
  const wanted = healthPortOf(config, roles);
  if (wanted === undefined) return;
  const logger = runtime.logger.child({ component: 'health' });
  const server = createHealthServer({ logger, readiness: readiness(runtime) });
  closers.push('health server', () => server.close());
  const host = hostOf(config);
  const port = await server.listen(wanted, host);
  logger.info({ host, port }, 'health');
};
