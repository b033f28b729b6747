import type { ServeRole } from '../cli/services.js';
import { lead, type Standing } from '../infra/postgres/leadership.js';
import type { Runtime } from './runtime.js';

/** Does the work whenever this process is the one elected for it; `name` tells apart what is led. */
export const elected =
  ({ database, states, ...runtime }: Runtime, role: ServeRole, name: string) =>
  (signal: AbortSignal, work: (leading: AbortSignal) => Promise<void>): Promise<void> => {
    const logger = runtime.logger.child({ component: role });
    const onStanding = (standing: Standing): void => states.set(role, standing);
    return lead({ pool: database.pool, logger, name, onStanding }, signal, async (leading) => {
      logger.info({ name }, 'leading');
      await work(leading);
    });
  };
