import type { ServeRole } from '../cli/services.js';
import { lead } from '../infra/postgres/leadership.js';
import type { Runtime } from './runtime.js';

/** Does the work whenever this process is the one elected for it; `name` tells apart what is led. */
export const elected =
  ({ database, states, ...runtime }: Runtime, role: ServeRole, name: string) =>
  (signal: AbortSignal, work: (leading: AbortSignal) => Promise<void>): Promise<void> => {
    const logger = runtime.logger.child({ component: role });
    const standBy = (): void => states.set(role, 'standing by');
    standBy();
    return lead({ pool: database.pool, logger, name }, signal, async (leading) => {
      states.set(role, 'leading');
      logger.info({ name }, 'leading');
      leading.addEventListener('abort', standBy, { once: true }); // what it has in hand may take longer to end
      await work(leading).finally(standBy);
    });
  };
