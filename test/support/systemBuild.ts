/**
 * The sources as plain JavaScript: a process that starts from there is up in half the time that tsx needs, which
 * counts where a hundred are started, and runs up to an eighth faster, which counts where it is measured.
 */
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atTheEnd } from './atTheEnd.js';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** No spec, and nothing that was installed into a folder of sources. */
const SOURCE = /^(?!.*node_modules)(?!.*\.spec\.ts$).*\.ts$/;
const DATA = /^(?!.*node_modules).*\.json$/;

const transpile = async (
  out: string,
  roots: readonly string[],
  isLinked: (file: string) => boolean,
): Promise<void> => {
  const { default: ts } = await import('typescript');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const write = async (file: string): Promise<void> => {
    const { outputText } = ts.transpileModule(await readFile(join(repository, file), 'utf8'), {
      compilerOptions,
      fileName: file,
    });
    const target = join(out, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, outputText);
  };
  const copy = async (file: string): Promise<void> => {
    await mkdir(dirname(join(out, file)), { recursive: true });
    await copyFile(join(repository, file), join(out, file));
  };
  for (const root of roots)
    for (const name of await readdir(join(repository, root), { recursive: true })) {
      const file = join(root, name);
      if (isLinked(file)) continue;
      if (SOURCE.test(name)) await write(file);
      else if (DATA.test(name)) await copy(file);
    }
};

/**
 * Makes a directory that can stand in for the repository.
 * @param roots folders whose sources are transpiled
 * @param links files and folders of the repository that are there as they are
 */
export const build = async (roots: readonly string[], links: readonly string[]): Promise<string> => {
  const out = await realpath(await mkdtemp(join(tmpdir(), 'recovery-build-')));
  try {
    await transpile(out, roots, (file) => links.some((link) => `${file}/`.startsWith(`${link}/`)));
    for (const name of links) {
      await mkdir(dirname(join(out, name)), { recursive: true });
      await symlink(join(repository, name), join(out, name));
    }
    return out;
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
};

let built: Promise<string> | undefined;

/** The product and what supports its tests; removed at the end of the run. */
export const buildOnce = (): Promise<string> =>
  (built ??= (async () => {
    const out = await build(['src', 'test/support'], ['package.json', 'node_modules', 'migrations']);
    atTheEnd(() => rm(out, { recursive: true, force: true }));
    return out;
  })());
