import { dropOldKeys } from '../api/idempotency.js';
import { policyReader } from '../commands/organization/policyReader.js';
import { adminsReader } from '../commands/user/admins.js';
import { rulesReader } from '../commands/rules/reader.js';
import { ParkedMessages } from '../infra/bus/parkedMessages.js';
import { meansOf } from '../infra/psp/pspRouter.js';
import { deriveKey } from '../infra/secrets/keys.js';
import { pgTimerLeases } from '../infra/timers/pgTimerLeases.js';
import { runProjector } from '../workers/projector.js';
import { runSaga, SAGA_GROUP, sagaHandler } from '../workers/saga.js';
import { runScheduler } from '../workers/scheduler.js';
import { type ServeRole, serveRoles } from '../cli/services.js';
import type { Config } from '../config.js';
import { createBus, relayRole } from './bus.js';
import { elected } from './elected.js';
import { serveHttp } from './http.js';
import { merchantAlertSender, recoveryMailSender } from './mail.js';
import type { Run, Runners } from './runRoles.js';
import { connectionsOf, type Effects, publicBaseUrl, type Runtime } from './runtime.js';

const sagaDependencies = (runtime: Runtime) => ({
  store: runtime.store,
  clock: runtime.clock,
  faults: runtime.faults,
  policyOf: policyReader(runtime.store),
  rulesOf: rulesReader(runtime.store),
  meansOf: meansOf(connectionsOf(runtime)),
});

/** What the operator does with parked messages: each group's by its own handler. */
export const parkedMessages = (runtime: Runtime): ParkedMessages =>
  new ParkedMessages(runtime.database.pool, { [SAGA_GROUP]: sagaHandler(sagaDependencies(runtime)) });

/** The workers of one process. */
const workers = (runtime: Runtime, effects: () => Promise<Effects>) => {
  const { database, store, engine, clock, faults, reporting, states } = runtime;
  const logger = (component: string) => runtime.logger.child({ component });
  const reportTo = (component: string): { onError?: (error: unknown) => void } =>
    reporting === undefined ? {} : { onError: (error) => reporting.captureError(error, { component }) };
  return {
    projector: (signal: AbortSignal) =>
      runProjector({ engine, lead: elected(runtime, 'projector', `projector:${engine.release}`) }, signal),
    relay: relayRole(runtime),
    saga: async (signal: AbortSignal) => {
      const options = { store, pool: database.pool, logger: logger('bus'), faults, ...reportTo('saga') };
      const bus = await createBus(runtime, options, signal);
      states.set('saga', 'working');
      await runSaga({ bus, ...sagaDependencies(runtime) }, signal);
    },
    scheduler: async (signal: AbortSignal) => {
      const { psp, mail, secrets } = await effects();
      const { organizationOf } = runtime;
      const sending = {
        organizationOf,
        mailer: mail.mailer,
        publicBaseUrl: publicBaseUrl(runtime.config),
        logger: logger('mail'),
      };
      const linkKey = deriveKey(secrets.masterKey, 'links');
      const leases = pgTimerLeases(database.pool);
      const tidy = async (): Promise<void> => {
        await leases.dropOrphans();
        await dropOldKeys(database.pool);
      };
      const rulesOf = rulesReader(store);
      const deps = {
        store,
        rulesOf,
        clock,
        faults,
        psp,
        sendMail: recoveryMailSender({ ...sending, linkKey }),
        sendAlert: merchantAlertSender({ ...sending, adminsOf: adminsReader(store, organizationOf) }),
        leases,
        tidy,
        logger: logger('scheduler'),
      };
      states.set('scheduler', 'working');
      await runScheduler({ ...deps, ...reportTo('scheduler') }, signal);
    },
  };
};

/** What is to run: without a choice every role that this set-up has. */
export const rolesOf = ({ kafkaBrokers }: Config, wanted: readonly ServeRole[]): readonly ServeRole[] =>
  wanted.length > 0 ? wanted : serveRoles.filter((role) => role !== 'relay' || kafkaBrokers !== undefined);

export const runnersOf = (
  runtime: Runtime,
  effects: () => Promise<Effects>,
  roles: readonly ServeRole[],
): Runners => {
  const { relay, ...others } = workers(runtime, effects);
  const api: Run = async (signal) => {
    const parts = await effects();
    runtime.states.set('api', 'working');
    await serveHttp(runtime, parts, signal);
  };
  const all: Runners = { ...others, api, ...(relay && { relay }) };
  return Object.fromEntries(roles.map((role) => [role, all[role]]));
};
