/**
 * `npm run bench`: runs main.ts as an image runs the product, compiled and with its flags. tsx wraps every function to
 * keep its name: under it a rebuild takes up to an eighth longer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, repository } from '../test/support/systemBuild.js';

/** Those of `npm start`; every process that is started from there has them too. */
const flags = ['--max-semi-space-size=32', '--heap-growing-percent=70'];
const links = ['package.json', 'node_modules', 'migrations', 'docs', '.cache', 'bench/emmett'];

const stop = new AbortController();
// Ctrl-C reaches the bench by itself, and what is here has to outlive it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

await mkdir(join(repository, '.cache'), { recursive: true });
const out = await build(['src', 'test/support', 'bench'], [...links, 'test/support/kafka/pom.xml']);
try {
  stop.signal.throwIfAborted();
  const args = [...flags, join(out, 'bench/main.js'), ...process.argv.slice(2)];
  const bench = spawn(process.execPath, args, { stdio: 'inherit' });
  stop.signal.addEventListener('abort', () => bench.kill('SIGTERM'));
  const [code] = (await once(bench, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
