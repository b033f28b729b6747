import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../servers/started.js';

/** As many as the product takes by default. */
export const POOL_SIZE = 20;

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

interface Registered {
  readonly access_token: string;
  readonly organization: { readonly id: string };
}

export const register = async (port: number, slug: string): Promise<Registered> => {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: `bench-${randomUUID()}@example.com`,
      password: randomUUID(),
      org_name: 'Bench',
      org_slug: slug,
    }),
  });
  if (answer.status !== 201) throw new Error(`registering answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Registered;
};

export interface Pair {
  readonly product: Server;
  readonly baseline: Server;
  readonly token: string;
  readonly orgId: string;
  stop(): Promise<void>;
}

/**
 * The product's API and the Express routes it is held against, each in a process of its own, on the same database
 * with pools of the same size. The product checks tokens and writes its log to a file.
 */
export const startPair = async (url: string, slug: string): Promise<Pair> => {
  const dir = await mkdtemp(join(tmpdir(), 'recovery-bench-api-'));
  const env = { DATABASE_URL: url, DATABASE_POOL_SIZE: String(POOL_SIZE) };
  const servers: Server[] = [];
  const stop = async (): Promise<void> => {
    for (const server of servers) await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const port = String(await freePort());
    const own = { ...env, PORT: port, DATA_DIR: dir, ENVIRONMENT: 'development', LOG_LEVEL: 'info' };
    const product = await startServer('product', own, join(dir, 'product.log'));
    servers.push(product);
    const { access_token: token, organization } = await register(product.port, slug);
    const theirs = { ...env, ORG_ID: organization.id };
    const baseline = await startServer('baseline', theirs, join(dir, 'baseline.log'));
    servers.push(baseline);
    return { product, baseline, token, orgId: organization.id, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
