import { dropOldKeys } from '../api/idempotency.js';
import { policyReader } from '../commands/organization/policyReader.js';
import { PgEventBus } from '../infra/bus/pgEventBus.js';
import { meansOf } from '../infra/psp/pspRouter.js';
import { deriveKey } from '../infra/secrets/keys.js';
import { pgTimerLeases } from '../infra/timers/pgTimerLeases.js';
import { runProjector } from '../workers/projector.js';
import { runSaga } from '../workers/saga.js';
import { runScheduler } from '../workers/scheduler.js';
import { recoveryMailSender } from './mail.js';
import { connectionsOf, type Effects, publicBaseUrl, type Runtime } from './runtime.js';

/** The workers of one process, each until the signal aborts. */
export const workers = (runtime: Runtime, effects: () => Promise<Effects>) => {
  const { database, store, engine, clock, faults, reporting } = runtime;
  const logger = (component: string) => runtime.logger.child({ component });
  const reportTo = (component: string): { onError?: (error: unknown) => void } =>
    reporting === undefined ? {} : { onError: (error) => reporting.captureError(error, { component }) };
  return {
    projector: (signal: AbortSignal) => runProjector({ engine, signal }),
    saga: (signal: AbortSignal) => {
      const options = { store, pool: database.pool, logger: logger('bus'), faults, ...reportTo('saga') };
      const bus = new PgEventBus(options);
      const policyOf = policyReader(store);
      const means = meansOf(connectionsOf(runtime));
      return runSaga({ bus, store, clock, faults, policyOf, meansOf: means }, signal);
    },
    scheduler: async (signal: AbortSignal) => {
      const { psp, mail, secrets } = await effects();
      const sendMail = recoveryMailSender({
        organizationOf: runtime.organizationOf,
        mailer: mail.mailer,
        publicBaseUrl: publicBaseUrl(runtime.config),
        linkKey: deriveKey(secrets.masterKey, 'links'),
        logger: logger('mail'),
      });
      const leases = pgTimerLeases(database.pool);
      const tidy = async (): Promise<void> => {
        await leases.dropOrphans();
        await dropOldKeys(database.pool);
      };
      const deps = { store, clock, faults, psp, sendMail, leases, tidy, logger: logger('scheduler') };
      await runScheduler({ ...deps, ...reportTo('scheduler') }, signal);
    },
  };
};
