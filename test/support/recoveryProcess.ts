/** The `recovery` command as a process of its own, from the built sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { buildOnce } from './systemBuild.js';

const DEADLINE = 60_000;

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly port?: number;
  readonly [field: string]: unknown;
}

/** What production cannot do without. */
export const productionEnv = (): NodeJS.ProcessEnv => ({
  ENVIRONMENT: 'production',
  JWT_SECRET: randomBytes(48).toString('base64'),
  MASTER_KEY: randomBytes(32).toString('base64'),
  PASSWORD_PEPPER: randomBytes(32).toString('base64'),
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: '1',
  PUBLIC_BASE_URL: 'https://pay.example.com',
});

export class RecoveryProcess {
  readonly ended: Promise<number | null>;
  out = '';
  err = '';
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string) {
    const child = spawn(command, args, {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (this.out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (this.err += chunk));
    this.ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  }

  /** Everything it said, for the message of a failed test. */
  get said(): string {
    return `${this.out}\n${this.err}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  lines(): Line[] {
    const whole = this.out.split('\n').slice(0, -1);
    return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);
  }

  /** What `find` finds in its output, once it is there. */
  async until<T>(find: () => T | undefined): Promise<T> {
    let over = false;
    void this.ended.finally(() => (over = true));
    for (const giveUpAt = Date.now() + DEADLINE; Date.now() < giveUpAt;) {
      const found = find();
      if (found !== undefined) return found;
      if (over) throw new Error(`It ended:\n${this.said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`It never came:\n${this.said}`);
  }

  /** The base URL of its API, once it answers. */
  async listening(): Promise<string> {
    const line = await this.until(() => this.lines().find(({ message }) => message === 'listening'));
    return `http://127.0.0.1:${line.port}`;
  }
}

export const startRecovery = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<RecoveryProcess> =>
  new RecoveryProcess(process.execPath, [join(await buildOnce(), 'src/cli/main.js'), ...args], env);
