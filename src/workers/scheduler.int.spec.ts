import { setTimeout as sleep } from 'node:timers/promises';
import { compileRules } from '../commands/rules/match.js';
import { expect } from 'chai';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.js';
import { T0 } from '../../test/support/recoverySamples.js';
import { startRecovery } from '../../test/support/startedRecovery.js';
import { MemoryEventStore } from '../infra/eventStore/memoryEventStore.js';
import { pgTimerLeases } from '../infra/timers/pgTimerLeases.js';
import { DAY, plus } from '../kernel/clock.js';
import { deriveId, type OrgId } from '../kernel/ids.js';
import { silentLogger } from '../kernel/logger.js';
import type { ChargeOutcome, MailOutcome } from '../kernel/ports.js';
import { runScheduler } from './scheduler.js';

const org = (name: string): OrgId => deriveId('scheduler-org', name) as OrgId;
const STUCK = org('stuck');

describe('scheduler beside a server that hangs', () => {
  let db: TestDatabase;
  let store: MemoryEventStore;
  let end: () => Promise<void>;
  const charged = new Set<OrgId>();
  const mailed = new Set<OrgId>();

  beforeEach(async () => {
    db = await createTestDatabase();
    await db.pool.query(
      'CREATE TABLE timers (key uuid PRIMARY KEY, org_id uuid, due_at timestamptz, position bigint, kind text)',
    );
    store = new MemoryEventStore();
    charged.clear();
    mailed.clear();
  });
  afterEach(async () => {
    await end();
    await db.drop();
  });

  const due = async (orgId: OrgId, kind: 'retry' | 'notify', count: number, at: string) => {
    for (let i = 0; i < count; i++) {
      const code = kind === 'retry' ? 'insufficient_funds' : 'expired_card';
      const key = await startRecovery(store, orgId, code, `${kind}-${i}`);
      await db.pool.query('INSERT INTO timers VALUES ($1, $2, $3, 1, $4)', [key, orgId, at, kind]);
    }
  };

  const run = (hangs: 'psp' | 'mail') => {
    const stop = new AbortController();
    const answers: (() => void)[] = [];
    const hanging = (): Promise<void> =>
      stop.signal.aborted ? Promise.resolve() : new Promise((resolve) => answers.push(resolve));
    const charge = async ({ orgId }: { orgId: OrgId }): Promise<ChargeOutcome> => {
      if (hangs === 'psp' && orgId === STUCK) await hanging();
      charged.add(orgId);
      return { status: 'succeeded', reference: 'ch' };
    };
    const sendMail = async ({ orgId }: { orgId: OrgId }): Promise<MailOutcome> => {
      if (hangs === 'mail') await hanging();
      mailed.add(orgId);
      return { status: 'sent' };
    };
    const unused = () => Promise.reject(new Error('not used'));
    const running = runScheduler(
      {
        store,
        leases: pgTimerLeases(db.pool),
        clock: { now: () => new Date(plus(T0, DAY / 2)) },
        faults: () => undefined,
        rulesOf: () => Promise.resolve(compileRules(0, [])),
        psp: { charge, lookup: charge, openCheckout: unused, closeCheckout: unused, stopRetries: unused },
        sendMail,
        sendAlert: unused,
        tidy: async () => undefined,
        logger: silentLogger,
      },
      stop.signal,
    );
    end = async () => {
      stop.abort();
      answers.forEach((answer) => answer());
      await running;
    };
    return { hanging: () => answers.length };
  };

  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !condition(); i++) await sleep(10);
    expect(condition()).to.equal(true);
  };

  it('charges and mails for the other organizations while the PSP of one hangs', async () => {
    await due(STUCK, 'retry', 100, plus(T0, 0));
    await due(org('a'), 'retry', 1, plus(T0, 1));
    await due(org('a'), 'notify', 1, plus(T0, 1));
    await due(org('b'), 'retry', 1, plus(T0, 2));
    const scheduler = run('psp');
    await until(() => charged.size === 2 && mailed.size === 1);
    expect(scheduler.hanging()).to.be.within(1, 8);
  });

  it('charges while the mail server hangs', async () => {
    await due(org('a'), 'notify', 60, plus(T0, 0));
    await due(org('b'), 'retry', 1, plus(T0, 1));
    await due(org('a'), 'retry', 1, plus(T0, 1));
    run('mail');
    await until(() => charged.size === 2);
    expect(mailed.size).to.equal(0);
  });
});
