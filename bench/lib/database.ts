import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded.js';
import { migrate } from '../../src/infra/postgres/migrate.js';
import { silentLogger } from '../../src/kernel/logger.js';

/** A migrated, durable Postgres (fsync on): DATABASE_URL, or a throw-away one of our own. */
export const benchDatabase = async (): Promise<{ readonly url: string; stop(): Promise<void> }> => {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined && given !== '') {
    await migrate(given, silentLogger);
    return { url: given, stop: () => Promise.resolve() };
  }
  const dir = await mkdtemp(join(tmpdir(), 'recovery-bench-'));
  await chmod(dir, 0o755); // when root runs the bench, the server's account must get in
  const cluster = await startEmbeddedPostgres({
    dataDir: join(dir, 'data'),
    durable: true,
    logger: silentLogger,
  });
  await migrate(cluster.url, silentLogger);
  const stop = async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { url: cluster.url, stop };
};
