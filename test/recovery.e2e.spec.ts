/** The system as its users meet it: over HTTP and by mail, under a clock that is moved by hand. */
import { expect } from 'chai';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR, DAY } from '../src/kernel/clock.js';
import { sandboxCalls, sandboxCharges } from '../src/infra/psp/sandboxLedger.js';
import type { PaymentId } from '../src/kernel/ids.js';
import { linkTo } from './support/crashLedger.js';
import { CrashWorld, type Life } from './support/crashWorld.js';
import { type Reply, type Request, send } from './support/systemClient.js';
import { readEvents } from './support/systemLog.js';

interface Taken {
  readonly recovery_id: string;
  readonly payment_id: PaymentId;
}

describe('a recovery over HTTP', () => {
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

  const until = async <T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> => {
    for (let tries = 0; tries < 1_000; tries++, await sleep(20)) {
      const found = await look();
      if (found !== undefined) return found;
    }
    throw new Error(`it did not come to that\n${life.log}`);
  };
  const report = async (decline_code: string, headers: Record<string, string> = {}) => {
    const transaction_ref = `order-${++serial}`;
    const email = `${transaction_ref}@customer.test`;
    const json = {
      transaction_ref,
      amount: 4900,
      currency: 'EUR',
      customer: { email },
      gateway: 'sandbox',
      failure: { code: 'card_declined', decline_code },
    };
    const { body } = await world.call('/v1/events/payment_failed', { json, headers });
    return { ...(body as unknown as Taken), email };
  };
  const recovery = (id: string) => world.call(`/v1/recoveries/${id}`).then(({ body }) => body);
  const ended = ({ recovery_id }: Taken) =>
    until(async () => {
      const found = await recovery(recovery_id).catch(() => undefined);
      return found?.['status'] === 'active' ? undefined : found;
    });
  const ask = (path: string, request: Request = {}): Promise<Reply> =>
    send(`http://127.0.0.1:${world.port}${path}`, request);

  it('leads from the mailed link through the checkout to a recovered payment', async function () {
    this.timeout(60_000);
    const taken = await report('expired_card');
    const link = await until(() => linkTo(world.mail, taken.email));
    const page = await ask(link);
    expect(page.status).to.equal(200);
    expect(page.text).to.contain('€49.00').and.contain(`${link}/pay`);
    expect((await ask(`${link}/done`)).text).to.contain('being confirmed');
    const checkout = await ask(`${link}/pay`, { method: 'POST' });
    expect(checkout.status, checkout.text).to.equal(303);
    const { pathname } = new URL(checkout.headers.get('location') ?? '');
    expect((await ask(pathname)).status).to.equal(200);
    const paid = await ask(pathname, { form: { choice: 'pay' } });
    expect(new URL(paid.headers.get('location') ?? '').pathname).to.equal(`${link}/done`);
    for (const path of [`${link}/done`, link]) expect((await ask(path)).text).to.contain('Thank you');
    expect(await ended(taken)).to.include({ status: 'succeeded', source: 'link', recovered_amount: 4900 });
    const charges = await sandboxCharges(world.db.pool, taken.payment_id);
    expect(charges.map(({ origin }) => origin)).to.deep.equal(['checkout']);
  });

  it('carries the id of a request to the retry it leads to, days later, and to the PSP', async function () {
    this.timeout(60_000);
    const id = 'request-of-the-merchant';
    const taken = await report('insufficient_funds', { 'x-request-id': id });
    await until(async () => (await recovery(taken.recovery_id).catch(() => undefined))?.['next_action']);
    life.advance(DAY);
    expect(await ended(taken)).to.include({ status: 'succeeded', source: 'our_retry' });
    const events = (await readEvents(world.db)).filter(({ stream }) => stream.endsWith(taken.recovery_id));
    expect(events.map(({ type }) => type)).to.include('RetrySucceeded');
    for (const { metadata } of events) expect(metadata).to.include({ request_id: id, correlation_id: id });
    const calls = await sandboxCalls(world.db.pool, taken.payment_id);
    expect(calls.map(({ request_id }) => request_id)).to.deep.equal([id]);
    expect(life.log).to.contain(`"request_id":"${id}","correlation_id":"${id}"`);
  });

  it('is cancelled once, and charged no more', async function () {
    this.timeout(60_000);
    const taken = await report('insufficient_funds');
    await until(async () => (await recovery(taken.recovery_id).catch(() => undefined))?.['next_action']);
    const cancel = { method: 'POST', json: { reason: 'paid in cash' } };
    for (let n = 0; n < 2; n++) await world.call(`/v1/recoveries/${taken.recovery_id}/cancel`, cancel);
    expect(await ended(taken)).to.include({ status: 'cancelled', close_reason: 'paid in cash' });
    life.advance(2 * DAY + HOUR);
    await sleep(1_000);
    expect(await sandboxCharges(world.db.pool, taken.payment_id)).to.deep.equal([]);
  });

  it('expires after thirty days without an outcome', async function () {
    this.timeout(60_000);
    const taken = await report('upi_pending');
    await until(async () => (await recovery(taken.recovery_id).catch(() => undefined))?.['next_action']);
    life.advance(31 * DAY);
    expect(await ended(taken)).to.include({ status: 'expired' });
  });
});
