/** The image without an engine: its files laid out as the Dockerfile does it, its command lines run on this machine. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { atTheEnd } from './atTheEnd.js';
import { imageVariables, instruction, rootFile, type Service, stage } from './packaging.js';
import { RecoveryProcess } from './recoveryProcess.js';
import { repository } from './systemBuild.js';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
}

/** What `npm ci --omit=dev --omit=optional` puts directly into node_modules. */
const productionPackages = (): string[] => {
  const { packages } = JSON.parse(rootFile('package-lock.json')) as { packages: Record<string, Locked> };
  return Object.entries(packages)
    .filter(([, { dev, optional, devOptional }]) => !(dev ?? optional ?? devOptional ?? false))
    .flatMap(([path]) => /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? []);
};

/** Compiled from the sources, with the packages of production and none else. Removed at the end of the run. */
export const layOutImage = async (): Promise<string> => {
  const image = await realpath(await mkdtemp(join(tmpdir(), 'recovery-test-image-')));
  atTheEnd(() => rm(image, { recursive: true, force: true }));
  const build = ['run', '--silent', 'build', '--', '--noCheck', '--outDir', join(image, 'dist')];
  await promisify(execFile)('npm', build, { cwd: repository });
  for (const [, files = ''] of stage('runtime').matchAll(/^COPY (?!--)(.+) \S+$/gm))
    for (const file of files.split(' '))
      await cp(join(repository, file), join(image, file), { recursive: true });
  for (const name of productionPackages()) {
    await mkdir(dirname(join(image, 'node_modules', name)), { recursive: true });
    await symlink(join(repository, 'node_modules', name), join(image, 'node_modules', name));
  }
  return image;
};

const has = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag.split('=')[0] ?? '');

/**
 * NODE_OPTIONS that stand in for the read-only file system of a container. Packages that are linked stay where the links
 * are, for beside what they lead to lie those of development. A flag that this Node lacks is for what it never forbids.
 * @param writable the directories that are mounted for writing
 */
export const readOnlyBut = (writable: readonly string[]): string => {
  const permission = has('--permission') ? '--permission' : '--experimental-permission';
  const allowed = ['--allow-fs-read=*', '--allow-addons', '--allow-net'].filter(has);
  const writes = writable.map((dir) => `--allow-fs-write=${dir}`);
  return [permission, ...allowed, ...writes, '--preserve-symlinks'].join(' ');
};

export interface Place {
  /** What is /app inside. */
  readonly app: string;
  /** By variable, for what leads elsewhere on this machine. A variable that the service does not have stays unset. */
  readonly elsewhere: Readonly<Record<string, string>>;
  /** Variables of this machine's own. */
  readonly extra?: Readonly<Record<string, string>>;
  /** The stage of the Dockerfile that is run. */
  readonly stage?: string;
}

const environmentOf = (
  service: Service,
  { elsewhere, extra, stage: built }: Place,
): Record<string, string> => {
  const inside = { ...imageVariables(built), ...service.environment };
  const adapted = Object.entries(inside).map(([name, value]) => [name, elsewhere[name] ?? value]);
  return { ...(Object.fromEntries(adapted) as Record<string, string>), ...extra };
};

/** Runs words as they would be run in a container of the service. */
export const execIn = (service: Service, place: Place, words: readonly string[]): RecoveryProcess => {
  const [command = '', ...args] = words.map((word) => word.replace(/^\/app\//, `${place.app}/`));
  const node = command === 'node' ? process.execPath : command;
  return new RecoveryProcess(node, args, environmentOf(service, place), place.app);
};

/** The process of a container of the service. */
export const startContainer = (service: Service, place: Place): RecoveryProcess =>
  execIn(service, place, [...(service.entrypoint ?? instruction('ENTRYPOINT')), ...(service.command ?? [])]);
