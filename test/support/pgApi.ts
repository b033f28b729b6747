import { createTokens } from '../../src/api/auth/tokens.js';
import { CachedSessions } from '../../src/api/auth/sessions.js';
import { pgIdempotencyKeys } from '../../src/api/idempotency.js';
import { rulesReader } from '../../src/commands/rules/reader.js';
import type { IdentityDeps } from '../../src/commands/user/ports.js';
import { PgEventStore } from '../../src/infra/eventStore/pgEventStore.js';
import { BcryptHasher } from '../../src/infra/passwords/bcryptHasher.js';
import { PgVault } from '../../src/infra/vault/pgVault.js';
import type { OrgId } from '../../src/kernel/ids.js';
import { silentLogger } from '../../src/kernel/logger.js';
import { ProjectionEngine } from '../../src/projections/engine/engine.js';
import { projections } from '../../src/projections/index.js';
import { startApi, type TestApi } from './api.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';

/** Who registered an organization. */
export interface Founder {
  readonly token: string;
  readonly orgId: OrgId;
}

export interface PgApi extends TestApi {
  /** Registers one more organization. */
  readonly founder: () => Promise<Founder>;
  readonly store: PgEventStore;
  readonly database: TestDatabase;
  readonly identity: IdentityDeps;
  readonly engine: ProjectionEngine;
}

export const PASSWORD = 'a long enough one';
interface Registered {
  readonly access_token: string;
  readonly organization: { readonly id: OrgId };
}

/** The application with nothing in place of the database, the tokens, the sessions and the read models. */
export const startPgApi = async (): Promise<PgApi> => {
  const database = await createTestDatabase();
  const { pool } = database;
  const store = new PgEventStore({ pool });
  const engine = new ProjectionEngine({ store, pool, projections, logger: silentLogger });
  const stop = new AbortController();
  await engine.ensure();
  const running = engine.run(stop.signal);
  const sessions = new CachedSessions({ store });
  const vault = new PgVault(pool, Buffer.alloc(32, 1));
  const identity: IdentityDeps = {
    store,
    vault,
    hasher: new BcryptHasher({ pepper: Buffer.alloc(32, 2), cost: 4 }),
    identityKey: Buffer.alloc(32, 3),
    logger: silentLogger,
    userChanged: (userId) => sessions.forget(userId),
  };
  const clock = { now: () => new Date() };
  const api = await startApi({
    db: pool,
    store,
    rulesOf: rulesReader(store),
    vault,
    sessions,
    identity,
    tokens: createTokens({ secret: Buffer.alloc(32, 4), algorithm: 'HS256', expiryMinutes: 60, clock }),
    idempotencyKeys: pgIdempotencyKeys(pool),
    waitFor: (name, position, timeoutMs) => engine.waitFor(name, position, timeoutMs),
  });
  let serial = 0;
  const founder = async (): Promise<Founder> => {
    const name = `org-${++serial}`;
    const json = { email: `${name}@example.com`, password: PASSWORD, org_name: name, org_slug: name };
    const { body } = await api.call<Registered>('/v1/auth/register', { json });
    return { token: body.access_token, orgId: body.organization.id };
  };
  const close = async (): Promise<void> => {
    await api.close();
    stop.abort();
    await running;
    await store.close();
    await database.drop();
  };
  return { ...api, founder, store, database, identity, engine, close };
};
