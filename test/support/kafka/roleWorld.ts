/** A merchant, a database, a mail server and a topic, around a system of one process per role. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Life } from '../crashWorld.js';
import { createTestDatabase, type TestDatabase } from '../postgres.js';
import { startSmtpServer, type TestSmtpServer } from '../smtpServer.js';
import { buildOnce } from '../systemBuild.js';
import { type Reply, type Request, send } from '../systemClient.js';
import { uniqueTopic } from './forTests.js';
import type { RoleOrders } from './roleChild.js';

/** First failure, and what the PSP does with our retries. The first two end without a retry. */
const cases = [
  { decline_code: 'stolen_card', script: 'stolen_card' },
  { decline_code: 'lost_card', script: 'stolen_card' },
  { decline_code: 'insufficient_funds', script: 'insufficient_funds,success' },
  { decline_code: 'processing_error', script: 'success' },
  { decline_code: 'do_not_honor', script: 'timeout_unrecorded,success' },
] as const;

export const SESSION_SECONDS = 6;
const SENDERS = 12;

export class RoleWorld {
  readonly topic = uniqueTopic();
  readonly #lives = new Set<Life>();
  #api: Life | undefined;
  #token = '';
  #reported = 0;

  private constructor(
    readonly db: TestDatabase,
    private readonly mail: TestSmtpServer,
    private readonly dir: string,
    private readonly entry: string,
    private readonly brokers: string,
  ) {}

  static async create(brokers: string): Promise<RoleWorld> {
    const [db, mail, dir, build] = await Promise.all([
      createTestDatabase(),
      startSmtpServer(),
      mkdtemp(join(tmpdir(), 'recovery-test-roles-')),
      buildOnce(),
    ]);
    return new RoleWorld(db, mail, dir, join(build, 'test/support/kafka/roleChild.js'), brokers);
  }

  get reported(): number {
    return this.#reported;
  }

  async close(): Promise<void> {
    for (const life of this.#lives) {
      life.stop('SIGKILL');
      await life.ended;
    }
    await this.mail.stop();
    await this.db.drop();
    await rm(this.dir, { recursive: true, force: true });
  }

  async start(orders: RoleOrders): Promise<Life> {
    const life = new Life(this.entry, {
      PATH: process.env['PATH'],
      DATABASE_URL: this.db.url,
      DATABASE_POOL_SIZE: '10',
      DATA_DIR: this.dir,
      PORT: '0',
      HEALTH_PORT: '0',
      PUBLIC_BASE_URL: 'http://localhost:8000',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(this.mail.port),
      KAFKA_BROKERS: this.brokers,
      KAFKA_TOPIC: this.topic,
      KAFKA_TOPIC_PARTITIONS: '6',
      KAFKA_SESSION_TIMEOUT_SECONDS: String(SESSION_SECONDS),
      LOG_LEVEL: 'info',
    });
    this.#lives.add(life);
    if (orders.roles.includes('api')) this.#api = life;
    await life.begin(orders);
    return life;
  }

  /** Graceful, as an orchestrator would. */
  async stop(life: Life): Promise<void> {
    life.stop('SIGTERM');
    const { code } = await life.ended;
    if (code !== 0) throw new Error(`ended with ${code}:\n${life.log}`);
  }

  /** A merchant who retries soon, and mails only when told so. */
  async register(channels: readonly 'email'[]): Promise<void> {
    const account = { email: 'owner@roles.test', password: 'correct horse battery', org_name: 'Roles' };
    const registered = await this.#call('/v1/auth/register', { json: { ...account, org_slug: 'roles' } });
    this.#token = String(registered.body['access_token']);
    const policy = {
      max_retries: 2,
      initial_delay_minutes: 60,
      backoff_multiplier: 2,
      max_delay_minutes: 240,
      enabled_channels: channels,
    };
    await this.#call('/v1/retry/policies/active', { method: 'PUT', json: policy });
  }

  /** Reports failed payments, some at a time, until each is accepted. */
  async report(payments: number): Promise<void> {
    const last = this.#reported + payments;
    const sender = async (): Promise<void> => {
      while (this.#reported < last) await this.#reportOne(this.#reported++);
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
  }

  async #reportOne(index: number): Promise<void> {
    const ref = `roles-${index}`;
    const { decline_code, script } = cases[index % cases.length] ?? cases[0];
    await this.#call('/v1/events/payment_failed', {
      headers: { 'idempotency-key': ref },
      json: {
        transaction_ref: ref,
        amount: 1000 + index,
        currency: 'EUR',
        customer: { email: `${ref}@customer.test` },
        gateway: 'sandbox',
        failure: { code: 'card_declined', decline_code },
        metadata: { sandbox_script: script },
      },
    });
  }

  /** Waits until every payment's recovery has an end, which the payment and the read models know of. */
  async settled(deadlineMs: number): Promise<void> {
    for (const end = Date.now() + deadlineMs; ; await sleep(250)) {
      const { rows } = await this.db.pool.query<{ done: boolean; open: string }>(SETTLED, [this.#reported]);
      if (rows[0]?.done === true) return;
      const logs = [...this.#lives].map((life) => life.log.slice(-3000)).join('\n----\n');
      if (Date.now() > end) throw new Error(`does not come to an end: ${JSON.stringify(rows[0])}\n${logs}`);
    }
  }

  async #call(path: string, request: Request): Promise<Reply> {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
      const port = this.#api?.port;
      if (port === undefined) continue;
      const url = `http://127.0.0.1:${port}${path}`;
      const reply = await send(url, { token: this.#token || undefined, ...request }).catch(() => undefined);
      if (reply !== undefined && reply.status < 300) return reply;
      if (reply !== undefined && reply.status < 500)
        throw new Error(`${path}: ${reply.status} ${reply.text}`);
    }
    throw new Error(`${path}: nobody answered`);
  }
}

const SETTLED = `
  WITH ends AS (
    SELECT count(*) FILTER (WHERE type = 'RecoveryStarted') AS started,
           count(*) FILTER (WHERE type IN ('RecoverySucceeded', 'RecoveryExhausted', 'RecoveryExpired', 'RecoveryCancelled')) AS ended,
           count(*) FILTER (WHERE type = 'RecoverySucceeded') AS recovered,
           count(*) FILTER (WHERE type = 'PaymentSucceeded') AS paid
      FROM events)
  SELECT started = $1 AND ended = $1 AND recovered = paid
           AND (SELECT bool_and(position = (SELECT position FROM event_log_head))
                  FROM projection_generations WHERE state = 'active') AS done,
         started, ended, recovered, paid
    FROM ends`;
