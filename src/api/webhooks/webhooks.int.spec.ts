import { expect } from 'chai';
import Stripe from 'stripe';
import { startApi, type TestApi } from '../../../test/support/api.js';
import { IdentityWorld } from '../../../test/support/identityWorld.js';
import {
  chargeFailedEvent,
  intentFailedEvent,
  intentObject,
  invoiceFailedEvent,
  invoiceObject,
  stripeEvent,
} from '../../../test/support/stripeEvents.js';
import { startRecovery, CREDENTIAL } from '../../../test/support/recoverySamples.js';
import { handle, load } from '../../commands/handle.js';
import type { RecoveryCommand } from '../../commands/recovery/command.js';
import { recoveryDecider } from '../../commands/recovery/decide.js';
import type { KnownRecovery } from '../../commands/recovery/state.js';
import { connectPsp } from '../../commands/organization/commands.js';
import { registerOrganization } from '../../commands/user/register.js';
import type { RecordedEvent } from '../../events/envelope.js';
import { recoveryStream } from '../../events/recovery.js';
import { DAY, plus } from '../../kernel/clock.js';
import { deriveId, type OrgId, paymentIdOf, recoveryIdOf } from '../../kernel/ids.js';
import { silentLogger } from '../../kernel/logger.js';

const SECRET = 'whsec_of_stripe';
const SANDBOX_SECRET = 'whsec_of_the_sandbox';
const old = { shape: 'old', invoice: 'in_1' } as const;

const paid = { status: 'succeeded', amount_received: 4900, last_payment_error: null };
const intentSucceeded = () => stripeEvent('payment_intent.succeeded', { ...intentObject(old), ...paid }, old);
const invoicePaid = () =>
  stripeEvent('invoice.payment_succeeded', invoiceObject(old, { amount_paid: 4900, status: 'paid' }), old);
const checkoutCompleted = () =>
  stripeEvent('checkout.session.completed', {
    id: 'cs_1',
    object: 'checkout.session',
    amount_total: 4900,
    currency: 'eur',
    payment_status: 'paid',
    payment_intent: 'pi_1',
    invoice: 'in_1',
    metadata: {},
  });
const failures = () => [intentFailedEvent(old), chargeFailedEvent(old), invoiceFailedEvent(old)];
const successes = () => [intentSucceeded(), invoicePaid(), checkoutCompleted()];

describe('Stripe webhooks over HTTP', () => {
  let world: IdentityWorld;
  let orgId: OrgId;
  let api: TestApi;
  let now: Date;
  const logged: object[] = [];

  beforeEach(async () => {
    world = new IdentityWorld();
    now = new Date('2026-11-23T10:00:00Z');
    const input = { email: 'ann@example.com', password: 'p', orgName: 'Acme', orgSlug: 'acme' };
    const { user, organization } = await registerOrganization(world.process(), input, world.origin());
    orgId = organization.id;
    await connectPsp(world, { provider: 'sandbox', webhookSecret: SANDBOX_SECRET }, world.by(user));
    await connectPsp(world, { provider: 'stripe', webhookSecret: SECRET }, world.by(user));
    logged.length = 0;
    api = await startApi({
      store: world.store,
      vault: world.vault,
      clock: { now: () => now },
      logger: { ...silentLogger, warn: (fields: object) => void logged.push(fields) },
    });
  });
  afterEach(() => api.close());

  const deliver = (event: object, secret = SECRET) => {
    const raw = JSON.stringify(event);
    const timestamp = Math.floor(now.getTime() / 1000);
    const header = Stripe.webhooks.generateTestHeaderString({ payload: raw, secret, timestamp });
    return api.call(`/v1/webhooks/stripe/${orgId}`, { raw, headers: { 'stripe-signature': header } });
  };
  const accepted = async (...events: object[]): Promise<void> => {
    for (const event of events) {
      const answer = await deliver(event);
      expect(answer.status, answer.text).to.equal(200);
    }
  };
  const payments = async (): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for await (const delivery of world.store.readAll({ after: 0n }))
      if (delivery.kind === 'events')
        events.push(...delivery.events.filter(({ stream }) => stream.startsWith('payment-')));
    return events;
  };
  const types = async () => (await payments()).map(({ type }) => type);

  for (const event of failures())
    it(`takes ${event.type} for a failure of the invoice`, async () => {
      await accepted(event, event);
      const [only, ...more] = await payments();
      expect(more).to.deep.equal([]);
      expect(only).to.have.property('type', 'PaymentFailed');
      expect(only?.data).to.include({ transaction_ref: 'in_1', trigger_id: 'ch_1', amount: 4900 });
      expect(only?.metadata.occurred_at).to.equal(new Date(event.created * 1000).toISOString());
    });

  for (const event of successes())
    it(`takes ${event.type} for a success of the invoice`, async () => {
      await accepted(event, event);
      const [only, ...more] = await payments();
      expect(more).to.deep.equal([]);
      expect(only).to.have.property('type', 'PaymentSucceeded');
      expect(only?.data).to.include({ transaction_ref: 'in_1', amount: 4900, currency: 'EUR' });
    });

  it("learns of Stripe's own retries from whichever report of a failure tells of them, once", async () => {
    const retried = (next: number) =>
      stripeEvent('invoice.payment_failed', invoiceObject(old, { next_payment_attempt: next }), old);
    await accepted(chargeFailedEvent(old));
    expect(await types()).to.deep.equal(['PaymentFailed']);
    await accepted(retried(1_800_000_000), retried(1_800_000_000), retried(1_800_100_000));
    expect(await types()).to.deep.equal(['PaymentFailed', 'PspRetriesAnnounced']);
    expect((await payments()).at(-1)?.data).to.include({ next_at: '2027-01-15T08:00:00.000Z' });
  });

  it("takes a failure together with Stripe's own retries where the first report tells of them", async () => {
    const invoice = invoiceObject(old, { next_payment_attempt: 1_800_000_000 });
    await accepted(stripeEvent('invoice.payment_failed', invoice, old), chargeFailedEvent(old));
    expect(await types()).to.deep.equal(['PaymentFailed']);
    expect((await payments())[0]?.data).to.deep.include({
      psp_retries: { next_at: '2027-01-15T08:00:00.000Z' },
    });
  });

  it('tells a watched recovery that Stripe gave up, though the same failure was reported before', async () => {
    const invoice = (next: number | null, ids = old) =>
      stripeEvent('invoice.payment_failed', invoiceObject(ids, { next_payment_attempt: next }), ids);
    const recoveryId = recoveryIdOf(paymentIdOf(orgId, 'in_1'));
    const recovery = async () =>
      (await load(world.store, recoveryDecider, recoveryStream(recoveryId))).state as KnownRecovery;
    await accepted(invoice(1_800_000_000));
    const context = {
      ...world.origin(),
      principal: { actor: { type: 'system', id: 'test' }, orgId } as const,
      commandId: deriveId('start'),
    };
    const start = startRecovery('insufficient_funds', { triggerId: 'ch_1', pspRetries: 'to_come' });
    await handle(world.store, recoveryDecider, recoveryStream(recoveryId), start, context);
    const last = { ...old, charge: 'ch_2' };
    await accepted(chargeFailedEvent(last));
    expect((await recovery()).pspRetries).to.equal('watched');
    await accepted(invoice(null, last), invoice(null, last));
    expect(await types()).to.deep.equal(['PaymentFailed', 'PaymentFailed', 'PspRetriesAnnounced']);
    expect((await recovery()).pspRetries).to.equal('gave_up');
  });

  describe('of an attempt of ours that a bank decides at last', () => {
    const AT = new Date(1_795_000_000_000).toISOString();
    const ref = 'in_1';
    const recoveryId = () => recoveryIdOf(paymentIdOf(orgId, ref));
    const opened = async (): Promise<void> => {
      await accepted(invoiceFailedEvent(old));
      const context = {
        principal: { actor: { type: 'system', id: 'test' }, orgId } as const,
        correlationId: 'c',
        causationId: 'c',
        now: AT,
      };
      const stream = recoveryStream(recoveryId());
      const give = (command: RecoveryCommand) =>
        handle(world.store, recoveryDecider, stream, command, {
          ...context,
          commandId: deriveId(command.type),
        });
      const start = { paymentId: paymentIdOf(orgId, ref), triggerId: 'ch_1', now: plus(AT, -DAY) };
      await give(startRecovery('insufficient_funds', start));
      const charged = { references: { invoice: ref, payment_intent: 'pi_1' } };
      await give({
        type: 'StartRetry',
        data: { attempt: 1, idempotencyKey: 'k', charged, credentialId: CREDENTIAL, now: AT },
      });
    };
    const recovery = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const page of world.store.readStream(recoveryStream(recoveryId())))
        found.push(...page.map(({ type }) => type));
      return found;
    };

    it('takes the decline for its outcome, once, whatever reports it', async () => {
      await opened();
      const later = { ...old, charge: 'ch_2' };
      await accepted(intentFailedEvent(later), chargeFailedEvent(later), invoiceFailedEvent(later));
      expect(await types()).to.deep.equal(['PaymentFailed']);
      expect((await recovery()).filter((type) => type === 'RetryDeclined')).to.have.length(1);
    });

    it('takes the money for its own', async () => {
      await opened();
      await accepted(intentSucceeded());
      expect((await payments()).at(-1)?.data).to.include({ source: 'our_retry' });
    });
  });

  it('makes one failure and one success of all six, in order and in reversed order', async () => {
    await accepted(...failures(), ...successes());
    expect(await types()).to.deep.equal(['PaymentFailed', 'PaymentSucceeded']);
    await accepted(...[...failures(), ...successes()].reverse());
    expect(await types()).to.deep.equal(['PaymentFailed', 'PaymentSucceeded']);
  });

  it('takes them in reversed order: the failure is late and overturns nothing', async () => {
    await accepted(...[...failures(), ...successes()].reverse());
    const [success, failure, ...more] = await payments();
    expect(more).to.deep.equal([]);
    expect(success).to.have.property('type', 'PaymentSucceeded');
    expect(failure).to.have.nested.property('data.late', true);
  });

  it('knows the endpoint secret of every connected PSP', async () => {
    expect((await deliver(intentFailedEvent(old), SANDBOX_SECRET)).status).to.equal(200);
    expect((await deliver(intentFailedEvent(old), SECRET)).status).to.equal(200);
    expect((await deliver(intentFailedEvent(old), 'whsec_other')).body).to.include({
      code: 'signature_invalid',
    });
  });

  it('takes a failure in without the notes that may not be stored', async () => {
    const metadata = { card: '4111111111111111', constructor: 'x', order: '17', '': 'y' };
    const { last_payment_error, ...intent } = intentObject(old);
    const error = { ...last_payment_error, message: 'Card 4111 1111 1111 1111 was declined' };
    await accepted(
      stripeEvent('payment_intent.payment_failed', { ...intent, metadata, last_payment_error: error }, old),
    );
    const [event] = await payments();
    expect(event?.data).to.have.deep.property('metadata', { order: '17' });
    expect(event?.data).to.have.nested.property('failure.decline_code', 'insufficient_funds');
    expect(JSON.stringify(event?.data)).not.to.match(/4111/);
    expect(logged).to.have.nested.property('[0].pointers').that.includes('/metadata/card');
  });

  it('refuses a reference that looks like a card number, and says which event it was', async () => {
    const event = intentFailedEvent({ metadata: { transaction_ref: '4111111111111111' } });
    expect((await deliver(event)).status).to.equal(422);
    expect(logged).to.have.nested.property('[0].event_id', event.id);
    expect(await payments()).to.deep.equal([]);
  });

  it('names a trigger that is too long, and refuses a time that cannot be meant', async () => {
    const intent = `pi_${'1a'.repeat(95)}`;
    const bare = { ...intentObject({ intent }), latest_charge: `ch_${'2b'.repeat(95)}` };
    const { charge: _, ...error } = bare.last_payment_error;
    const failed = { ...bare, last_payment_error: error };
    await accepted(stripeEvent('payment_intent.payment_failed', failed));
    expect((await payments())[0]?.data)
      .to.have.property('trigger_id')
      .that.has.length(36);
    for (const created of [1, 253_402_300_799])
      expect((await deliver({ ...intentFailedEvent(), created })).status).to.equal(422);
  });

  it("takes a charge by another organization's key for a failure like any other", async () => {
    const id = '7c9e6679-7425-50de-944b-e07fc1f90ae7';
    await accepted(intentFailedEvent({ ...old, idempotencyKey: `${id}:${id}:1` }));
    expect(await types()).to.deep.equal(['PaymentFailed']);
  });
});
