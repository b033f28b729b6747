import { randomUUID } from 'node:crypto';
import { createApp } from '../api/app.js';
import { CachedSessions } from '../api/auth/sessions.js';
import { createTokens } from '../api/auth/tokens.js';
import { rulesReader } from '../commands/rules/reader.js';
import type { Dependencies } from '../api/dependencies.js';
import { pgIdempotencyKeys } from '../api/idempotency.js';
import { createHttpServer } from '../api/server.js';
import { REQUEST_MS } from '../infra/eventStoreDb/esdbConnection.js';
import { readLinkToken } from '../infra/links/linkToken.js';
import { createAccessLog } from '../infra/logging/logger.js';
import { BcryptHasher } from '../infra/passwords/bcryptHasher.js';
import { meansOf } from '../infra/psp/pspRouter.js';
import { deriveKey } from '../infra/secrets/keys.js';
import { systemClock } from '../infra/systemClock.js';
import { VERSION } from './version.js';
import { readiness } from './readiness.js';
import { hostOf } from './port.js';
import { connectionsOf, type Effects, publicBaseUrl, type Runtime } from './runtime.js';

const dependencies = (runtime: Runtime, effects: Effects): Dependencies => {
  const { config, database, store, engine, clock, reporting } = runtime;
  const { secrets, vault, psp, sandbox, stripe, mail } = effects;
  const logger = runtime.logger.child({ component: 'api' });
  const sessions = new CachedSessions({ store });
  const linkKey = deriveKey(secrets.masterKey, 'links');
  const development = config.environment === 'development';
  return {
    environment: config.environment,
    publicBaseUrl: publicBaseUrl(config),
    version: VERSION,
    logger,
    clock,
    newId: randomUUID,
    db: database.pool,
    store,
    ...(config.eventStoreUrl !== undefined && { logTimeMs: REQUEST_MS }),
    vault,
    psp,
    faults: runtime.faults,
    sessions,
    tokens: createTokens({
      secret: secrets.jwtSecret,
      algorithm: config.jwtAlgorithm,
      expiryMinutes: config.jwtExpiryMinutes,
      clock: systemClock,
    }),
    identity: {
      store,
      vault,
      hasher: new BcryptHasher({ pepper: secrets.passwordPepper }),
      identityKey: deriveKey(secrets.masterKey, 'identity'),
      logger,
      userChanged: (userId) => sessions.forget(userId),
    },
    waitFor: (name, position, timeoutMs) => engine.waitFor(name, position, timeoutMs),
    idempotencyKeys: pgIdempotencyKeys(database.pool),
    readLink: (token, now) => readLinkToken(token, linkKey, now),
    readiness: readiness(runtime),
    accessLog: createAccessLog(runtime.logger),
    ...(reporting && {
      trace: (fieldsOf) => reporting.trace(fieldsOf),
      onError: (error, request) => reporting.captureError(error, request),
    }),
    rulesOf: rulesReader(runtime.store),
    meansOf: meansOf(connectionsOf(runtime)),
    completeStripeEvent: (event, apiKey) => stripe.completeEvent(event, apiKey),
    ...(config.environment !== 'production' && { sandbox }),
    ...(development && mail.catcher !== undefined && { mailCatcher: mail.catcher }),
  };
};

/** Serves the API until the signal aborts, then finishes what is in flight. */
export const serveHttp = async (runtime: Runtime, effects: Effects, signal: AbortSignal): Promise<void> => {
  const { config, logger } = runtime;
  const server = createHttpServer(createApp(dependencies(runtime, effects)), { logger });
  const host = hostOf(config);
  const port = await server.listen(config.port, host);
  logger.info(
    { host, port, url: `http://localhost:${port}`, docs: `http://localhost:${port}/docs` },
    'listening',
  );
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.close();
};
