import { expect } from 'chai';
import fc from 'fast-check';
import { actWorld, LedgerPsp, ORG, RECOVERY_ID, scheduler } from '../../../test/support/actWorld.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { startRecovery } from '../../../test/support/startedRecovery.js';
import { recoveryStream } from '../../events/recovery.js';
import { MemoryEventStore } from '../../infra/eventStore/memoryEventStore.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { type FaultPoint, noFaults } from '../../kernel/faults.js';
import type { RecoveryId } from '../../kernel/ids.js';
import { silentLogger } from '../../kernel/logger.js';
import type { MailOutcome } from '../../kernel/ports.js';
import { compileRules } from '../rules/match.js';
import { act, type MerchantAlert } from './act.js';
import { alertMessageId } from './tellMerchant.js';
import { isDomainError } from '../../kernel/errors.js';

class Killed extends Error {}
const killedAt = (point: FaultPoint) => ({
  faults: (reached: FaultPoint): void => {
    if (reached === point) throw new Killed(point);
  },
});
const points = [
  'alert:after-claim',
  'alert:after-intent',
  'alert:after-send',
  'alert:after-outcome',
] as const satisfies readonly FaultPoint[];

const blocked = () => actWorld({ decline_code: 'merchant_blacklist' });
const busy: MailOutcome = { status: 'failed', permanent: false, reason: 'smtp_451' };

describe('telling the merchant', () => {
  it('mails once what the merchant needs to know, although the recovery is over', async () => {
    const { run, alerts, mails, types } = await blocked();
    await run();
    await run();
    expect(alerts).to.deep.equal([
      {
        orgId: ORG,
        recoveryId: RECOVERY_ID,
        messageId: alertMessageId(RECOVERY_ID, 'psp_blocked'),
        cause: 'psp_blocked',
        reason: 'the PSP blocks the payment: review it there',
        transactionRef: 'inv_1',
        amount: 4900,
        currency: 'EUR',
      },
    ]);
    expect(mails).to.deep.equal([]);
    expect((await types()).slice(-3)).to.deep.equal([
      'RecoveryExhausted',
      'MerchantAlertStarted',
      'MerchantAlertSent',
    ]);
  });

  it('ends by itself when the mail server never takes it, or nobody can be mailed', async () => {
    const { run, advance, types } = await blocked();
    let tries = 0;
    const sendAlert = async (): Promise<MailOutcome> => {
      tries++;
      return busy;
    };
    for (let n = 0; n < 20; n++, advance(HOUR)) await run({ sendAlert });
    expect(tries).to.equal(6);
    expect((await types()).at(-1)).to.equal('MerchantAlertFailed');
    const other = await blocked();
    await other.run({ sendAlert: () => Promise.resolve({ ...busy, permanent: true }) });
    other.advance(DAY);
    await other.run();
    expect(other.alerts).to.deep.equal([]);
  });

  it('does not wait for a customer at the checkout', async () => {
    const world = await actWorld({ decline_code: 'expired_card' });
    await world.run();
    await world.checkout();
    await world.fail({ decline_code: 'merchant_blacklist' });
    await world.run();
    expect(world.alerts).to.have.length(1);
  });

  it('sends nothing once the lease is lost, and whoever has it sends later', async () => {
    const { run, alerts, advance, types } = await blocked();
    await run({ stillMine: async () => false });
    expect(alerts).to.deep.equal([]);
    expect((await types()).at(-1)).to.equal('MerchantAlertStarted');
    advance(MINUTE);
    await run();
    expect(alerts).to.have.length(1);
  });

  for (const point of points)
    it(`goes on where it was killed, under the same Message-ID (${point})`, async () => {
      const { run, advance, alerts, types } = await blocked();
      await run(killedAt(point)).catch((error: unknown) => expect(error).to.be.instanceOf(Killed));
      advance(2 * MINUTE);
      await run();
      await run();
      expect(alerts).to.have.length(point === 'alert:after-send' ? 2 : 1);
      expect(new Set(alerts.map(({ messageId }) => messageId)).size).to.equal(1);
      expect((await types()).filter((type) => type === 'MerchantAlertSent')).to.have.length(1);
    });
});

/** Recoveries of one organization that fail for the same cause, and workers that die. */
const crowd = async (count: number) => {
  const store = new MemoryEventStore();
  const sent: { readonly id: string; readonly day: string }[] = [];
  const ids: RecoveryId[] = [];
  let now = plus(T0, 13 * HOUR + 50 * MINUTE); // ten minutes before midnight
  let leases = 0;
  for (let n = 0; n < count; n++)
    ids.push(await startRecovery(store, ORG, 'merchant_blacklist', `inv_${n}`, { failedAt: now }));
  const run = (id: RecoveryId, outcome: MailOutcome, faults = noFaults) =>
    act(
      {
        store,
        rulesOf: () => Promise.resolve(compileRules(0, [])),
        psp: new LedgerPsp(),
        clock: { now: () => new Date(now) },
        faults,
        logger: silentLogger,
        leaseId: `lease-${++leases}`,
        stillMine: () => Promise.resolve(true),
        sendMail: () => Promise.reject(new Error('not used')),
        sendAlert: ({ messageId }: MerchantAlert) => {
          sent.push({ id: messageId, day: now.slice(0, 10) });
          return Promise.resolve(outcome);
        },
      },
      id,
      scheduler,
    );
  const story = async (id: RecoveryId): Promise<string[]> => {
    const types: string[] = [];
    for await (const page of store.readStream(recoveryStream(id)))
      types.push(...page.map(({ type }) => type));
    return types;
  };
  return { ids, sent, run, story, advance: (ms: number) => void (now = plus(now, ms)) };
};

describe('telling the merchant of many failures at once', () => {
  it('is one mail, and each recovery says which told it', async () => {
    const { ids, sent, run, story } = await crowd(30);
    await Promise.all(ids.map((id) => run(id, { status: 'sent' })));
    expect(sent).to.have.length(1);
    const ends = (await Promise.all(ids.map(story))).map((types) => types.at(-1));
    expect(ends.filter((type) => type === 'MerchantAlertSkipped')).to.have.length(29);
  });

  it('property: however workers die and mails fail, one recovery mails on a day, and all come to an end', async () => {
    const act1 = fc.record({
      who: fc.nat({ max: 3 }),
      point: fc.constantFrom<FaultPoint | 'none'>(...points, 'none', 'none'),
      fails: fc.boolean(),
      minutes: fc.constantFrom(0, 1, 4, 10, 60),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act1, { maxLength: 25 }), async (script) => {
        const { ids, sent, run, story, advance } = await crowd(4);
        const ended = (error: unknown): void => {
          if (error instanceof Killed || (isDomainError(error) && error.code === 'version_conflict')) return;
          throw error;
        };
        for (const { who, point, fails, minutes } of script) {
          const id = ids[who] as RecoveryId;
          const faults = point === 'none' ? noFaults : killedAt(point).faults;
          const outcome: MailOutcome = fails ? busy : { status: 'sent' };
          await Promise.all([run(id, outcome, faults).catch(ended), run(id, outcome).catch(ended)]);
          advance(minutes * MINUTE);
        }
        for (let n = 0; n < 3; n++, advance(DAY)) for (const id of ids) await run(id, { status: 'sent' });
        for (const id of ids) {
          const types = await story(id);
          const over = types.filter(
            (type) => type === 'MerchantAlertSent' || type === 'MerchantAlertSkipped',
          );
          const given = types.filter((type) => type === 'MerchantAlertFailed');
          expect(over.length + (given.length === 6 ? 1 : 0), types.join()).to.equal(1);
        }
        for (const day of new Set(sent.map((mail) => mail.day))) {
          const tellers = new Set(sent.filter((mail) => mail.day === day).map(({ id }) => id));
          expect([...tellers], day).to.have.length(1);
        }
      }),
      { numRuns: 100 },
    );
  });
});
