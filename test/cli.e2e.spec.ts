import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('..', import.meta.url));

const start = (
  command: string,
  args: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    child.on('error', reject).on('close', (code) => resolve({ code, out, err }));
  });

describe('bin/recovery.js', () => {
  it('answers in the checkout', async () => {
    const { code, out } = await start(process.execPath, ['bin/recovery.js', '--help']);
    expect(code).to.equal(0);
    expect(out).to.match(/^Usage: recovery/);
  });

  it('is what `npx recovery` finds', async () => {
    const { code, out } = await start('npx', ['--offline', 'recovery', '--version']);
    expect(code).to.equal(0);
    expect(out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('hands the exit code on', async () => {
    const { code, out, err } = await start(process.execPath, ['bin/recovery.js', 'serve', '--prot', '1']);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.contain('--port');
  });
});
