/** Matters of the merchant's, over HTTP and by mail, under a clock that is moved by hand. */
import { expect } from 'chai';
import { simpleParser } from 'mailparser';
import { setTimeout as sleep } from 'node:timers/promises';
import { DAY } from '../src/kernel/clock.js';
import { CrashWorld, type Life } from './support/crashWorld.js';
import { readEvents } from './support/systemLog.js';

interface Escalation {
  readonly cause: string;
  readonly status: string;
  readonly told_at: string | null;
  readonly told_by: string | null;
}
interface Recovery {
  readonly id: string;
  readonly status: string;
  readonly next_action: unknown;
  readonly escalations: readonly Escalation[];
}

describe('the merchant', () => {
  let world: CrashWorld;
  let life: Life;
  let serial = 0;

  before(async function () {
    this.timeout(120_000);
    world = await CrashWorld.create();
    await world.register();
    life = await world.start(undefined, 0, true);
  });
  after(async function () {
    this.timeout(60_000);
    await world.close();
  });

  const report = async (decline_code: string): Promise<string> => {
    const transaction_ref = `order-${++serial}`;
    const email = `${transaction_ref}@customer.test`;
    const failure = { code: 'card_declined', decline_code };
    const facts = { transaction_ref, amount: 4900, currency: 'EUR', customer: { email, name: 'Ada Jones' } };
    const json = { ...facts, gateway: 'sandbox', failure };
    const { body } = await world.call('/v1/events/payment_failed', { json });
    return String(body['recovery_id']);
  };
  const told = async (id: string): Promise<Recovery> => {
    for (let tries = 0; tries < 1_000; tries++, await sleep(20)) {
      const found = await world.call(`/v1/recoveries/${id}`).catch(() => undefined);
      const recovery = found?.body as unknown as Recovery | undefined;
      if (recovery?.escalations[0]?.told_at) return recovery;
    }
    throw new Error(`was not told\n${life.log}`);
  };
  const listed = async (escalated: boolean): Promise<string[]> => {
    const { body } = await world.call(`/v1/recoveries?escalated=${escalated}`);
    return (body['data'] as Recovery[]).map(({ id }) => id);
  };
  const mailsTo = (address: string) =>
    world.mail.received.filter(({ recipients }) => recipients.includes(address));

  it('is mailed once for a cause on a day, and again on the next', async function () {
    this.timeout(60_000);
    const first = await told(await report('testmode_decline'));
    expect(first).to.include({ status: 'exhausted', next_action: null });
    expect(first.escalations[0]).to.include({ cause: 'merchant_config', status: 'told', told_by: null });
    const [mail] = mailsTo('owner@crash.test');
    const { subject, text = '', html, to } = await simpleParser(mail?.raw ?? '');
    expect(subject).to.equal('Payment order-1 of €49.00 needs your attention');
    expect(to).to.have.property('text', 'owner@crash.test');
    expect(text)
      .to.contain('your own set-up')
      .and.contain(`GET http://localhost:8000/v1/recoveries/${first.id}`);
    expect(`${text} ${String(html)}`).to.not.match(/Ada|Jones|customer\.test/);

    const second = await told(await report('testmode_decline'));
    expect(second.escalations[0]).to.include({ status: 'told', told_by: first.id });
    const other = await told(await report('merchant_blacklist'));
    expect(other.escalations[0]).to.include({ cause: 'psp_blocked', told_by: null });
    expect(mailsTo('owner@crash.test')).to.have.length(2);

    life.advance(DAY);
    const next = await told(await report('testmode_decline'));
    expect(next.escalations[0]).to.include({ status: 'told', told_by: null });
    expect(mailsTo('owner@crash.test')).to.have.length(3);
    expect(await listed(true)).to.have.members([first.id, second.id, other.id, next.id]);
    const calm = await report('insufficient_funds');
    for (let tries = 0; tries < 500 && !(await listed(false)).includes(calm); tries++) await sleep(20);
    expect(await listed(false)).to.deep.equal([calm]);
  });

  it('is told why in the explanation, and the log has intent and outcome', async function () {
    this.timeout(60_000);
    const { id } = await told(await report('duplicate_transaction'));
    const { body } = await world.call(`/v1/recoveries/${id}/explanation`);
    const summaries = (body['decisions'] as { summary: string }[]).map(({ summary }) => summary);
    expect(summaries.at(-1)).to.equal('The merchant is mailed.');
    const types = (await readEvents(world.db)).filter(({ stream }) => stream === `recovery-${id}`);
    expect(types.map(({ type }) => type).slice(-2)).to.deep.equal([
      'MerchantAlertStarted',
      'MerchantAlertSent',
    ]);
  });
});
