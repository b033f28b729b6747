/** A process that starts (or finds) the embedded Postgres on a directory and tells its URL. */
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded.js';
import { silentLogger } from '../../src/kernel/logger.js';

const [dataDir = '', port = '', once] = process.argv.slice(2);
const server = await startEmbeddedPostgres({
  dataDir,
  port: Number(port),
  durable: false,
  logger: silentLogger,
});
process.stdout.write(`${server.url}\n`);
if (once === 'once') {
  await server.stop();
} else {
  // Waits to be killed, by nothing less than SIGKILL.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  setInterval(() => undefined, 60_000);
}
