import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { repository } from './support/systemBuild.js';

const run = promisify(execFile);
const ENTRY = 'commands/recovery/classification/classify';

/** What `npm run build` makes of the classification and all that it imports. */
const compile = (outDir: string): readonly ts.Diagnostic[] => {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const config = ts.getParsedCommandLineOfConfigFile(
    join(repository, 'tsconfig.build.json'),
    { outDir },
    host,
  );
  const options = { ...config?.options, noCheck: true };
  return ts.createProgram([join(repository, `src/${ENTRY}.ts`)], options).emit().diagnostics;
};

describe('the decline tables of a build', () => {
  let out: string;
  before(async () => (out = await mkdtemp(join(tmpdir(), 'recovery-tables-'))));
  after(() => rm(out, { recursive: true, force: true }));

  it('are read by Node as it is', async () => {
    expect(compile(out)).to.deep.equal([]);
    await writeFile(join(out, 'package.json'), '{ "type": "module" }');
    await symlink(join(repository, 'node_modules'), join(out, 'node_modules'));
    const failure = { network_code: '41', card_brand: 'Visa', code: 'flux' };
    const script = `
      const { classify } = await import('./${ENTRY}.js');
      const { allTables } = await import('./${ENTRY.replace(/classify$/, 'tables')}.js');
      console.log(JSON.stringify({
        versions: allTables.map(({ version }) => version),
        seen: classify(${JSON.stringify(failure)}, '2026-12-01T10:00:00.000Z'),
      }));`;
    const args = ['--input-type=module', '--eval', script];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: out });
    expect(stderr).to.equal('');
    expect(JSON.parse(stdout)).to.deep.equal({
      versions: ['2026-11-24', '2026-11-29'],
      seen: {
        category: 'lost_stolen_fraud',
        hardness: 'hard',
        retry: 'never',
        evidence: {
          step: 'network_code',
          table_version: '2026-11-29',
          raw: failure,
          value: '41',
          unmapped: ['code:flux'],
        },
      },
    });
  });
});
