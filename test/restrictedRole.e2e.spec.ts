import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './support/postgres.js';
import { type RecoveryProcess, startRecovery } from './support/recoveryProcess.js';
import { send } from './support/systemClient.js';

/** The statements that SECURITY.md gives to the operator, for a role of this test's own. */
const grants = async (role: string, password: string): Promise<string> => {
  const text = await readFile(new URL('../SECURITY.md', import.meta.url), 'utf8');
  const [, sql = ''] = /```sql\n([^`]+)```/.exec(text) ?? [];
  return sql.replaceAll('recovery_app', role).replace('choose one', password);
};

describe('a database role that can only add to the log', function () {
  this.timeout(90_000);
  const role = `test_app_${randomBytes(4).toString('hex')}`;
  let db: TestDatabase;
  let dir: string;
  let app: pg.Client;
  let running: RecoveryProcess | undefined;
  before(async () => {
    [db, dir] = await Promise.all([createTestDatabase(), mkdtemp(join(tmpdir(), 'recovery-test-role-'))]);
    await db.pool.query(await grants(role, 'app'));
    app = new pg.Client({ connectionString: urlOf() });
    await app.connect();
  });
  after(async () => {
    running?.stop('SIGKILL');
    await running?.ended;
    await app.end();
    await db.pool.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    await db.drop();
    await rm(dir, { recursive: true, force: true });
  });
  const urlOf = (): string => {
    const url = new URL(db.url);
    [url.username, url.password] = [role, 'app'];
    return url.href;
  };

  it('is enough for the whole product', async () => {
    const env = { PORT: '0', DATABASE_URL: urlOf(), DATA_DIR: dir, MIGRATE_ON_START: 'false' };
    running = await startRecovery(['serve'], env);
    const url = await running.listening();
    const account = {
      email: 'a@role.test',
      password: 'correct horse battery',
      org_name: 'Role',
      org_slug: 'role',
    };
    const registered = await send(`${url}/v1/auth/register`, { json: account });
    expect(registered.status, registered.text + running.said).to.equal(201);
    const token = String(registered.body['access_token']);
    const failed = await send(`${url}/v1/events/payment_failed`, {
      token,
      headers: { 'idempotency-key': 'one' },
      json: {
        transaction_ref: 'order-1',
        amount: 1999,
        currency: 'EUR',
        customer: { email: 'ada@example.com' },
        gateway: 'sandbox',
        failure: { decline_code: 'expired_card' },
      },
    });
    expect(failed.status, failed.text).to.equal(202);
    const mailed = async (): Promise<boolean> => {
      const { text } = await send(`${url}/v1/recoveries/${String(failed.body['recovery_id'])}`, { token });
      return text.includes('"sent_at"') || text.includes('"status":"sent"');
    };
    for (const end = Date.now() + 30_000; !(await mailed());) {
      expect(Date.now(), running.said).to.be.lessThan(end);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await send(`${url}/readyz`)).status).to.equal(200);
    running.stop();
    expect(await running.ended, running.said).to.equal(0);
    expect(running.lines().filter(({ level }) => level === 'error')).to.deep.equal([]);
  });

  it('can neither change nor forge what was recorded, nor take a secret away', async () => {
    for (const statement of [
      `UPDATE events SET type = 'Other'`,
      'DELETE FROM events',
      'TRUNCATE events',
      `INSERT INTO events (position, stream_id, revision, event_id, type, org_id, data, metadata, recorded_at)
       SELECT position + 1000000, stream_id, revision, event_id, type, org_id, data, metadata, recorded_at FROM events`,
      'UPDATE event_log_head SET position = 0',
      'ALTER TABLE events DISABLE TRIGGER ALL',
      'DROP TABLE events',
      'DELETE FROM vault_secrets',
      `UPDATE vault_secrets SET org_id = org_id`,
    ]) {
      const refused = await app.query(statement).then(
        () => 'done',
        (error: pg.DatabaseError) => error.code,
      );
      expect(refused, statement).to.equal('42501');
    }
  });
});
