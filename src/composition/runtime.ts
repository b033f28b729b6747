import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { organizationReader, type OrganizationReader } from '../commands/organization/organizationReader.js';
import { isHeld } from '../commands/organization/state.js';
import type { PspProvider } from '../events/organization.js';
import { SandboxPsp } from '../infra/psp/sandboxPsp.js';
import { type Connections, pspRouter } from '../infra/psp/pspRouter.js';
import { StripePsp } from '../infra/psp/stripePsp.js';
import { deriveKey } from '../infra/secrets/keys.js';
import { resolveSecrets, type Secrets } from '../infra/secrets/resolveSecrets.js';
import type { ErrorReporting } from '../infra/sentry/errorReporting.js';
import { PgVault } from '../infra/vault/pgVault.js';
import type { Clock } from '../kernel/clock.js';
import type { Faults } from '../kernel/faults.js';
import type { OrgId } from '../kernel/ids.js';
import type { Psp, Vault } from '../kernel/ports.js';
import { ProjectionEngine } from '../projections/engine/engine.js';
import { projections } from '../projections/index.js';
import type { Closers } from './closers.js';
import type { Database } from './database.js';
import { type Log, openLog } from './eventStore.js';
import { type MailParts, openMail } from './mail.js';
import { RoleStates } from './roleStates.js';

/** The parts that every role is made of. */
export interface Runtime extends Log {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly database: Database;
  readonly organizationOf: OrganizationReader;
  readonly engine: ProjectionEngine;
  readonly states: RoleStates;
  readonly closers: Closers;
  /** Present with a SENTRY_DSN. */
  readonly reporting: ErrorReporting | undefined;
}

/** What only the roles that act need: secrets, vault, PSPs, mail. */
export interface Effects {
  readonly secrets: Secrets;
  readonly vault: Vault;
  readonly sandbox: SandboxPsp;
  readonly stripe: StripePsp;
  readonly psp: Psp;
  readonly mail: MailParts;
}

export interface RuntimeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly closers: Closers;
  readonly database: Database;
  readonly reporting: ErrorReporting | undefined;
  /** See LogPair. */
  readonly claims: boolean;
}

export const createRuntime = (options: RuntimeOptions): Runtime => {
  const { logger, faults, closers, database } = options;
  const { store, logPair } = openLog(options);
  closers.push('event store', () => store.close());
  const onError = (error: unknown): void =>
    options.reporting?.captureError(error, { component: 'projector' });
  const engine = new ProjectionEngine({ store, pool: database.pool, projections, logger, faults, onError });
  const states = new RoleStates();
  return { ...options, store, logPair, engine, states, organizationOf: organizationReader(store) };
};

/** The base of links in mails. */
export const publicBaseUrl = ({ publicBaseUrl: base, port }: Config): string =>
  base ?? `http://localhost:${port}`;

const connectionReader =
  (organizationOf: OrganizationReader) =>
  async (orgId: OrgId): Promise<PspProvider | undefined> => {
    const state = await organizationOf(orgId);
    if (!isHeld(state)) return undefined;
    return state.psps.stripe !== undefined
      ? 'stripe'
      : state.psps.sandbox !== undefined
        ? 'sandbox'
        : undefined;
  };

/** Which PSP serves whom. */
export const connectionsOf = ({ config, organizationOf }: Runtime): Connections => ({
  connectionOf: connectionReader(organizationOf),
  openSandbox: config.environment !== 'production',
});

/** @throws StartRefused when a secret is missing or weak outside development */
export const createEffects = async (runtime: Runtime): Promise<Effects> => {
  const { config, logger, closers, database, organizationOf } = runtime;
  const secrets = await resolveSecrets(config);
  const vault = new PgVault(database.pool, deriveKey(secrets.masterKey, 'vault'));
  const sandbox = new SandboxPsp({ pool: database.pool, baseUrl: publicBaseUrl(config), logger });
  const stripe = new StripePsp({
    apiKeyOf: async (orgId) => {
      const state = await organizationOf(orgId);
      const reference = isHeld(state) ? state.psps.stripe?.secretReference : undefined;
      return reference && vault.get(reference, orgId);
    },
    ...(config.stripeApiBase !== undefined && { apiBase: config.stripeApiBase }),
    logger,
  });
  const psp = pspRouter({ sandbox, stripe, ...connectionsOf(runtime) });
  return { secrets, vault, sandbox, stripe, psp, mail: openMail(config, logger, closers) };
};
