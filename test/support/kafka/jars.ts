/** The broker's jars, fetched by Maven once per pom into a folder of the checkout that git ignores. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const OLDEST_JAVA = 17;
const POM = fileURLToPath(new URL('./pom.xml', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../.cache/kafka', import.meta.url));

const directory = (): string => {
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  return join(CACHE, version);
};

const javaVersion = (): number => {
  const { stderr, error } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return error === undefined ? Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) : 0;
};

/** Why no broker can be started here; undefined when one can. */
export const whyNoBroker = (): string | undefined => {
  const version = javaVersion();
  if (version < OLDEST_JAVA) {
    const found = version === 0 ? 'there is none' : `this is ${version}`;
    return `a broker needs Java ${OLDEST_JAVA} or later (${found}) and Maven`;
  }
  if (existsSync(directory())) return undefined;
  const maven = spawnSync('mvn', ['--version']);
  return maven.error === undefined ? undefined : 'a broker needs Maven, which fetches its jars';
};

/** @returns the folder that holds the jars; several processes may ask at once */
export const fetchJars = async (): Promise<string> => {
  const target = directory();
  if (existsSync(target)) return target;
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'fetch-'));
  const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  // A repository of its own: nothing is written outside the checkout.
  const places = [
    `-DoutputDirectory=${join(work, 'libs')}`,
    `-Dmaven.repo.local=${join(work, 'repository')}`,
  ];
  try {
    await promisify(execFile)('mvn', [...args, ...places], { timeout: 300_000 });
    await rename(join(work, 'libs'), target).catch((error: unknown) => {
      if (!existsSync(target)) throw error; // another process was faster
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
};
