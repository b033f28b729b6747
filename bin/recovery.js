#!/usr/bin/env -S node --max-semi-space-size=32 --heap-growing-percent=70
// @ts-check
/**
 * The `recovery` command. One process: signals, exit codes and /proc show what really runs.
 * Room for 32 MB of young objects lets a page of events die before the collector copies it: a rebuild takes a quarter
 * less CPU. A heap that grows by 70 % at most between two collections keeps it as small over a million events as over some.
 * Node takes both from its command line only, so package.json and the Dockerfile name them too.
 * A checkout runs its TypeScript sources through tsx; an image or an install holds only the built dist.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/cli/main.ts');
const built = join(root, 'dist/cli/main.js');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
if (!fits) {
  console.error(`Node ${process.versions.node} does not do: take 20.19 or later, or 22.12 or later.`);
  process.exit(1);
}

/** @returns {Promise<boolean>} whether tsx is there to run the sources */
const registerTsx = async () => {
  try {
    const { register } = await import('tsx/esm/api');
    register();
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
};

process.setSourceMapsEnabled(true);
if (existsSync(source) && (await registerTsx())) {
  await import(pathToFileURL(source).href);
} else if (existsSync(built)) {
  await import(pathToFileURL(built).href);
} else {
  console.error('There is nothing to run: install with `npm ci`, or build with `npm run build`.');
  process.exit(1);
}
