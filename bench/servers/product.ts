/** The product's API as `recovery serve --role api` runs it, or every role with BENCH_ROLES=all, by the environment. Ends with the process that forked it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config.js';
import { openServices } from '../../src/main.js';

const stop = new AbortController();
process.on('disconnect', () => stop.abort());
process.on('SIGINT', () => undefined); // Ctrl-C is for the bench, which then disconnects

const config = readConfig();
const services = await openServices(config, 'serve');

const answers = async (): Promise<boolean> => {
  try {
    return (await fetch(`http://127.0.0.1:${config.port}/healthz`)).ok;
  } catch {
    return false;
  }
};

const announce = async (): Promise<void> => {
  while (!(await answers())) await sleep(20, undefined, { signal: stop.signal });
  process.send?.({ port: config.port });
};

try {
  const serving = services.serve({
    roles: process.env['BENCH_ROLES'] === 'all' ? [] : ['api'],
    signal: stop.signal,
  });
  await Promise.all([serving, announce()]);
} finally {
  await services.close();
}
process.exit(0);
