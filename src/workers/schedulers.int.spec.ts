import { expect } from 'chai';
import { compileRules } from '../commands/rules/match.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { T0 } from '../../test/support/recoverySamples.js';
import { startRecovery } from '../../test/support/startedRecovery.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { pgTimerLeases } from '../infra/timers/pgTimerLeases.js';
import { DAY, plus } from '../kernel/clock.js';
import { noFaults } from '../kernel/faults.js';
import { deriveId, type OrgId } from '../kernel/ids.js';
import { silentLogger } from '../kernel/logger.js';
import type { ChargeOutcome, MailOutcome } from '../kernel/ports.js';
import { runScheduler, type SchedulerDependencies } from './scheduler.js';

const RECOVERIES = 30;

describe('two schedulers on the same due timers', () => {
  let db: TestDatabase;
  before(async () => {
    db = await createTestDatabase();
    await db.pool.query(
      'CREATE TABLE timers (key uuid PRIMARY KEY, org_id uuid, due_at timestamptz, position bigint, kind text)',
    );
  });
  after(() => db.drop());

  it('do each thing once', async () => {
    const store = new MemoryEventStore();
    const done: string[] = [];
    for (let n = 0; n < RECOVERIES; n++)
      for (const kind of ['retry', 'notify'] as const) {
        const orgId = deriveId('org', String(n % 5)) as OrgId;
        const code = kind === 'retry' ? 'insufficient_funds' : 'expired_card';
        const key = await startRecovery(store, orgId, code, `${kind}-${n}`);
        await db.pool.query('INSERT INTO timers VALUES ($1, $2, $3, 1, $4)', [key, orgId, T0, kind]);
      }
    const unused = () => Promise.reject(new Error('not used'));
    const charge = async (_debt: unknown, key: string): Promise<ChargeOutcome> => {
      await sleep(5);
      done.push(key);
      return { status: 'succeeded', reference: key };
    };
    const sendMail = async ({ messageId }: { messageId: string }): Promise<MailOutcome> => {
      await sleep(5);
      done.push(messageId);
      return { status: 'sent' };
    };
    const deps = (): SchedulerDependencies => ({
      store,
      leases: pgTimerLeases(db.pool),
      clock: { now: () => new Date(plus(T0, DAY / 2)) },
      faults: noFaults,
      rulesOf: () => Promise.resolve(compileRules(0, [])),
      psp: { charge, lookup: charge, openCheckout: unused, closeCheckout: unused, stopRetries: unused },
      sendMail,
      sendAlert: unused,
      tidy: () => Promise.resolve(),
      logger: silentLogger,
    });
    const stop = new AbortController();
    const running = [runScheduler(deps(), stop.signal), runScheduler(deps(), stop.signal)];
    for (let n = 0; n < 500 && done.length < 2 * RECOVERIES; n++) await sleep(10);
    await sleep(300);
    stop.abort();
    await Promise.all(running);
    expect(done).to.have.length(2 * RECOVERIES);
    expect(new Set(done)).to.have.property('size', 2 * RECOVERIES);
  });
});
