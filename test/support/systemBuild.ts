/**
 * The sources as plain JavaScript, made once for a whole mocha run: a process that starts from there is up in half
 * the time that tsx needs, which counts where a hundred are started.
 */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atTheEnd } from './atTheEnd.js';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

const transpile = async (out: string): Promise<void> => {
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
  for (const root of ['src', 'test/support'])
    for (const file of await readdir(join(repository, root), { recursive: true }))
      if (file.endsWith('.ts') && !file.endsWith('.spec.ts')) await write(join(root, file));
};

let built: Promise<string> | undefined;

/** The directory that stands in for the repository; removed at the end of the run. */
export const buildOnce = (): Promise<string> =>
  (built ??= (async () => {
    const out = await realpath(await mkdtemp(join(tmpdir(), 'recovery-test-build-')));
    atTheEnd(() => rm(out, { recursive: true, force: true }));
    await transpile(out);
    for (const name of ['package.json', 'node_modules', 'migrations'])
      await symlink(join(repository, name), join(out, name));
    return out;
  })());
