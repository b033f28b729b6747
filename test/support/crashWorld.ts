/** A database, a mail server and a merchant, around a system that is killed and started again. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultPoint } from '../../src/kernel/faults.js';
import type { Advance, Orders, Told } from './crashChild.js';
import { createTestDatabase, type TestDatabase } from './postgres.js';
import { startSmtpServer, type TestSmtpServer } from './smtpServer.js';
import { buildOnce } from './systemBuild.js';
import { type Reply, type Request, send } from './systemClient.js';

const DEADLINE = 120_000;
const KEPT_LINES = 60;

/** One process of the system, from its start to its end. */
export class Life {
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #loaded: Promise<unknown>;
  readonly #lines: string[] = [];
  #port: number | undefined;
  #settled = '';
  #over = false;

  constructor(entry: string, env: NodeJS.ProcessEnv) {
    const child = fork(entry, [], { env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child = child;
    this.#loaded = new Promise((resolve) => child.once('message', resolve));
    this.ended = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        this.#over = true;
        resolve({ code, signal });
      }),
    );
    child.on('error', (error) => this.#lines.push(String(error)));
    child.on('message', (told: Told) => {
      if (told?.tell === 'settled') this.#settled = told.head;
    });
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach((line) => this.#hear(line));
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.#lines.push(chunk));
  }

  get over(): boolean {
    return this.#over;
  }

  get port(): number | undefined {
    return this.#over ? undefined : this.#port;
  }

  /** The head of the log when it last had nothing left to do. */
  get settled(): string {
    return this.#settled;
  }

  /** The last it had to say, for the message of a failed test. */
  get log(): string {
    return this.#lines.join('\n');
  }

  async begin(orders: object): Promise<void> {
    await Promise.race([this.#loaded, this.ended]);
    if (!this.#over) this.#child.send(orders);
  }

  /** Of a life whose clock stands still. */
  advance(ms: number): void {
    this.#child.send({ advance: ms } satisfies Advance);
  }

  stop(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #hear(line: string): void {
    const { message, port } = JSON.parse(line) as { message: string; port?: number };
    if (message === 'listening') this.#port = port;
    this.#lines.push(line);
    this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }
}

export class CrashWorld {
  readonly kills: { readonly point: FaultPoint; readonly visit: number }[] = [];
  #next: Life | undefined;
  #current: Life | undefined;
  #token = '';
  #closed = false;

  private constructor(
    readonly db: TestDatabase,
    readonly mail: TestSmtpServer,
    private readonly dir: string,
    private readonly entry: string,
  ) {}

  static async create(): Promise<CrashWorld> {
    const [db, mail, dir, build] = await Promise.all([
      createTestDatabase(),
      startSmtpServer(),
      mkdtemp(join(tmpdir(), 'recovery-test-crash-')),
      buildOnce(),
    ]);
    return new CrashWorld(db, mail, dir, join(build, 'test/support/crashChild.js'));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Of the process that runs now, once it listens. */
  get port(): number | undefined {
    return this.#current?.port;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const life of [this.#current, this.#next]) {
      life?.stop('SIGKILL');
      await life?.ended;
    }
    await this.mail.stop();
    await this.db.drop();
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A merchant whose retries come soon and often enough. */
  async register(): Promise<void> {
    const life = await this.start();
    const account = { email: 'owner@crash.test', password: 'correct horse battery', org_name: 'Crash' };
    const registered = await this.call('/v1/auth/register', { json: { ...account, org_slug: 'crash' } });
    this.#token = String(registered.body['access_token']);
    const policy = {
      max_retries: 3,
      initial_delay_minutes: 60,
      backoff_multiplier: 2,
      max_delay_minutes: 240,
      enabled_channels: ['email'],
    };
    await this.call('/v1/retry/policies/active', { method: 'PUT', json: policy });
    await this.stop(life);
  }

  /** Starts the system; `downtime` is how long nothing ran before, in ms of its clock. */
  async start(kill?: Orders['kill'], downtime = 0, still?: Orders['still']): Promise<Life> {
    const { rows } = await this.db.pool.query<{ last: string | null }>(
      `SELECT max(metadata->>'occurred_at') AS last FROM events`,
    );
    const from = new Date(Date.parse(rows[0]?.last ?? '1970-01-01') + downtime).toISOString();
    const life = (this.#current = this.#next ?? this.#load());
    await life.begin({ from, ...(kill && { kill }), ...(still && { still }) });
    this.#next = this.#load();
    return life;
  }

  /** Graceful, as an orchestrator would. */
  async stop(life: Life): Promise<void> {
    life.stop('SIGTERM');
    const { code } = await life.ended;
    if (code !== 0) throw new Error(`ended with ${code}:\n${life.log}`);
  }

  /** After a death by SIGKILL. The 30 s that its leases hold pass at once. */
  async bury(life: Life): Promise<void> {
    const { code, signal } = await life.ended;
    if (signal !== 'SIGKILL') throw new Error(`ended with ${code} ${signal}, not killed:\n${life.log}`);
    await this.db.pool.query(
      `UPDATE timer_leases SET leased_until = clock_timestamp() - interval '1 ms' WHERE leased_until IS NOT NULL`,
    );
  }

  /** Asks whatever process runs now, until one answers: what a client with retries does. */
  async call(path: string, request: Request = {}): Promise<Reply> {
    for (; !this.#closed; await sleep(20)) {
      const port = this.#current?.port;
      const reply =
        port === undefined
          ? undefined
          : await send(`http://127.0.0.1:${port}${path}`, {
              token: this.#token || undefined,
              ...request,
            }).catch(() => undefined);
      if (reply !== undefined && reply.status < 300) return reply;
      if (reply !== undefined && reply.status < 500)
        throw new Error(`${path}: ${reply.status} ${reply.text}`);
    }
    throw new Error(`${path}: nobody answered`);
  }

  /** Resolves when the life ended, or when it has nothing left to do. */
  async endOrSettled(life: Life): Promise<void> {
    for (const end = Date.now() + DEADLINE; !life.over; await sleep(20)) {
      const { rows } = await this.db.pool.query<{ head: string }>(
        'SELECT position AS head FROM event_log_head',
      );
      if (life.settled !== '' && life.settled === rows[0]?.head) return;
      if (Date.now() > end) throw new Error(`does not come to an end\n${life.log}`);
    }
  }

  #load(): Life {
    return new Life(this.entry, {
      PATH: process.env['PATH'],
      DATABASE_URL: this.db.url,
      DATABASE_POOL_SIZE: '12',
      DATA_DIR: this.dir,
      PORT: '0',
      PUBLIC_BASE_URL: 'http://localhost:8000',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(this.mail.port),
      LOG_LEVEL: 'info',
    });
  }
}
