import { randomUUID } from 'node:crypto';
import { createApp } from '../../src/api/app.js';
import type { Session } from '../../src/api/auth/sessions.js';
import type { Claims } from '../../src/api/auth/tokens.js';
import type { Dependencies } from '../../src/api/dependencies.js';
import type { IdempotencyKeys } from '../../src/api/idempotency.js';
import { openApiOf } from '../../src/api/openapi.js';
import { allRoutes } from '../../src/api/routes/index.js';
import { createHttpServer } from '../../src/api/server.js';
import { compileRules } from '../../src/commands/rules/match.js';
import { MemoryEventStore } from '../../src/infra/eventStore/memoryEventStore.js';
import { noFaults } from '../../src/kernel/faults.js';
import { DomainError } from '../../src/kernel/errors.js';
import { type OrgId, orgIdOf, type UserId } from '../../src/kernel/ids.js';
import { silentLogger } from '../../src/kernel/logger.js';
import type { Role } from '../../src/kernel/principal.js';
import { documentedBy } from './documented.js';

const absent = (name: string) => (): never => {
  throw new Error(`${name} is not part of this test`);
};

export const memoryIdempotencyKeys = (): IdempotencyKeys => {
  const known = new Map<string, Buffer>();
  return {
    claim: (orgId, keyHash, requestHash) => {
      const name = `${orgId}:${keyHash.toString('hex')}`;
      const first = known.get(name) ?? requestHash;
      known.set(name, first);
      return Promise.resolve(first.equals(requestHash));
    },
  };
};

const userId = '7c9e6679-7425-40de-944b-e07fc1f90ae7' as UserId;

/** A user for whom the tests take `<role>.<org slug>` as the token. */
export const sessionOf = (role: Role, orgId: OrgId = orgIdOf('acme')): Session => ({
  actor: { type: 'user', id: userId },
  orgId,
  role,
  user: {
    id: userId,
    status: 'registered',
    tokenVersion: 0,
    orgId,
    email: 'ada@example.com',
    role,
    credentialId: userId,
    registrationId: userId,
    registeredAt: '2026-01-01T00:00:00.000Z',
    isActive: true,
    failedLogins: 0,
  },
});

const tokens: Dependencies['tokens'] = {
  issue: absent('issue'),
  verify: (token) => {
    const [, role, slug] = /^(admin|user|viewer|auditor)\.([a-z]+)$/.exec(token) ?? [];
    if (slug === undefined) throw new DomainError('invalid_token', 'The token is not valid');
    return { sub: userId, org: orgIdOf(slug), role: role as Role, tv: 0, exp: 0 } satisfies Claims;
  },
};
const sessions: Dependencies['sessions'] = {
  resolve: ({ role, org }) => Promise.resolve(sessionOf(role, org)),
  forget: () => undefined,
};

/** Dependencies in memory: no database, so read models answer nothing unless a test gives them rows. */
export const memoryDependencies = (overrides: Partial<Dependencies> = {}): Dependencies => ({
  environment: 'test',
  publicBaseUrl: 'http://localhost:8000',
  version: '0.0.0',
  logger: silentLogger,
  clock: { now: () => new Date() },
  newId: randomUUID,
  db: { query: () => Promise.resolve({ rows: [], rowCount: 0 }) } as unknown as Dependencies['db'],
  store: new MemoryEventStore(),
  rulesOf: () => Promise.resolve(compileRules(0, [])),
  meansOf: () => Promise.resolve({ chargeable: true, payable: true }),
  tokens,
  sessions,
  identity: {} as Dependencies['identity'],
  waitFor: () => Promise.resolve(true),
  idempotencyKeys: memoryIdempotencyKeys(),
  vault: { put: () => Promise.resolve(), get: () => Promise.resolve(undefined) },
  psp: {
    charge: absent('charge'),
    lookup: absent('lookup'),
    openCheckout: absent('openCheckout'),
    stopRetries: absent('stopRetries'),
    closeCheckout: absent('closeCheckout'),
  },
  faults: noFaults,
  readLink: () => undefined,
  readiness: () => Promise.resolve([]),
  validateResponses: true,
  ...overrides,
});

export interface Answer<B = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: B;
}

export interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly raw?: string | Buffer;
}

export interface TestApi {
  readonly url: string;
  readonly port: number;
  readonly orgId: OrgId;
  call<B = Record<string, unknown>>(path: string, call?: Call): Promise<Answer<B>>;
  close(): Promise<void>;
}

const isJson = (headers: Headers): boolean => /[/+]json/.test(headers.get('content-type') ?? '');

/** The application listening on a free port. */
export const startApi = async (overrides: Partial<Dependencies> = {}): Promise<TestApi> => {
  const deps = memoryDependencies(overrides);
  const app = createApp(deps);
  const server = createHttpServer(app, { logger: silentLogger, drainMs: 1000 });
  const port = await server.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const documented = documentedBy(openApiOf(allRoutes(deps), deps));
  const call: TestApi['call'] = async <B>(path: string, options: Call = {}): Promise<Answer<B>> => {
    const { json, raw, token } = options;
    const body = json === undefined ? raw : JSON.stringify(json);
    const response = await fetch(url + path, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'manual',
      headers: {
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...options.headers,
      },
      ...(body !== undefined && { body }),
    });
    documented(options.method ?? (body === undefined ? 'GET' : 'POST'), path, response);
    const text = await response.text();
    const parsed = isJson(response.headers) ? (JSON.parse(text) as B) : ({} as B);
    return { status: response.status, headers: response.headers, text, body: parsed };
  };
  return { url, port, orgId: orgIdOf('acme'), call, close: () => server.close() };
};
