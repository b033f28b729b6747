/** One payment and its recovery in memory: what fails, is paid, mailed and charged, step by step under a clock. */
import {
  act,
  type ActDependencies,
  type MerchantAlert,
  type RecoveryMail,
} from '../../src/commands/recovery/act.js';
import { cancelRecovery } from '../../src/commands/recovery/cancel.js';
import { openCheckout, openRecoveryLink } from '../../src/commands/recovery/customer.js';
import { followFailure, followRecovery, followSuccess } from '../../src/commands/recovery/followPayment.js';
import { rulesReader } from '../../src/commands/rules/reader.js';
import { recordPaymentFailure, recordPaymentSuccess } from '../../src/commands/payment/record.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { PublicMessage } from '../../src/events/integration/message.js';
import { toPublicMessage } from '../../src/events/integration/toPublicMessage.js';
import type { RetryPolicy } from '../../src/events/organization.js';
import { paymentStream } from '../../src/events/payment.js';
import { type RecoveryEvent, recoveryStream } from '../../src/events/recovery.js';
import { MemoryEventStore } from '../../src/infra/eventStore/memoryEventStore.js';
import { noFaults } from '../../src/kernel/faults.js';
import { plus } from '../../src/kernel/clock.js';
import { deriveId, type OrgId, paymentIdOf, recoveryIdOf } from '../../src/kernel/ids.js';
import { silentLogger } from '../../src/kernel/logger.js';
import type {
  ChargeOutcome,
  Checkout,
  ClosedCheckout,
  StoppedRetries,
  Debt,
  Failure,
  Psp,
} from '../../src/kernel/ports.js';
import { MEANS, policy as defaultPolicy, T0 } from './recoverySamples.js';

export const ORG = deriveId('org') as OrgId;
export const PAYMENT_ID = paymentIdOf(ORG, 'inv_1');
export const RECOVERY_ID = recoveryIdOf(PAYMENT_ID);
export const scheduler = { actor: { type: 'system', id: 'scheduler' }, orgId: ORG } as const;

/** A request that never reached the PSP. */
export const LOST: ChargeOutcome = { status: 'unknown', reason: 'lost' };

/** A PSP that remembers keys and whom it charged; what it answers is said beforehand. */
export class LedgerPsp implements Psp {
  readonly charges = new Map<string, ChargeOutcome>();
  readonly debts: Debt[] = [];
  readonly asked: string[] = [];
  readonly requestIds = new Set<string | undefined>();
  checkouts: Checkout[] = [];
  closings: ClosedCheckout[] = [];
  stops: StoppedRetries[] = [];
  lookups = 0;
  constructor(readonly outcomes: ChargeOutcome[] = []) {}

  async charge(debt: Debt, key: string, requestId?: string): Promise<ChargeOutcome> {
    this.asked.push('charge');
    this.requestIds.add(requestId);
    this.debts.push(debt);
    const known = this.charges.get(key);
    if (known !== undefined) return known;
    const outcome = this.outcomes.shift() ?? { status: 'succeeded', reference: 'ch' };
    if (outcome !== LOST) this.charges.set(key, outcome);
    return outcome;
  }
  async lookup(_debt: unknown, key: string): Promise<ChargeOutcome> {
    this.asked.push('lookup');
    this.lookups++;
    const known = this.charges.get(key);
    return known?.status === 'unknown'
      ? { status: 'succeeded', reference: 'ch' }
      : (known ?? { status: 'not_found' });
  }
  async openCheckout(): Promise<Checkout> {
    this.asked.push('checkout');
    return (
      this.checkouts.shift() ?? { status: 'open', url: 'http://pay', reference: `cs_${this.asked.length}` }
    );
  }
  async stopRetries(): Promise<StoppedRetries> {
    this.asked.push('stop');
    return this.stops.shift() ?? { status: 'stopped' };
  }
  async closeCheckout(): Promise<ClosedCheckout> {
    this.asked.push('close');
    return this.closings.shift() ?? { status: 'closed' };
  }
}

const eventsOf = async (store: MemoryEventStore, stream: string): Promise<RecordedEvent[]> => {
  const found: RecordedEvent[] = [];
  for await (const page of store.readStream(stream)) found.push(...page);
  return found;
};

const FACTS = {
  transaction_ref: 'inv_1',
  amount: 4900,
  currency: 'EUR',
  customer: { email: 'ada@example.com' },
  gateway: 'sandbox',
};

/** Its methods can be taken out of it. */
export class ActWorld {
  readonly store = new MemoryEventStore();
  readonly mails: RecoveryMail[] = [];
  readonly alerts: MerchantAlert[] = [];
  #now = T0;
  #serial = 0;

  constructor(
    readonly psp: LedgerPsp,
    private readonly about: object,
    private readonly policy: RetryPolicy = defaultPolicy,
  ) {}

  readonly advance = (ms: number): void => void (this.#now = plus(this.#now, ms));

  readonly #saga = { policyOf: async () => this.policy };

  readonly context = () => ({
    principal: { actor: { type: 'system', id: 'test' }, orgId: ORG } as const,
    correlationId: 'corr-1',
    causationId: 'c',
    requestId: 'req-1',
    now: this.#now,
  });

  readonly events = (stream = recoveryStream(RECOVERY_ID)): Promise<RecordedEvent[]> =>
    eventsOf(this.store, stream);

  readonly recovery = async () => (await this.events()) as unknown as readonly RecoveryEvent[];

  readonly types = async (stream?: string): Promise<string[]> =>
    (await this.events(stream)).map(({ type }) => type);

  /** What the saga does with the newest message of a stream. */
  readonly follow = async (stream: string, meanwhile = () => Promise.resolve()): Promise<void> => {
    const messages = (await this.events(stream)).map(toPublicMessage);
    await this.followMessage(
      messages.findLast((each) => each !== undefined),
      meanwhile,
    );
  };

  readonly followMessage = async (
    message: PublicMessage | undefined,
    meanwhile = () => Promise.resolve(),
  ): Promise<void> => {
    const meansOf = async () => {
      await meanwhile();
      return MEANS;
    };
    const deps = { store: this.store, rulesOf: rulesReader(this.store), ...this.#saga, meansOf };
    if (message?.type === 'payment.failed') await followFailure(deps, message, this.context());
    if (message?.type === 'payment.succeeded') await followSuccess(deps, message, this.context());
    if (message?.type === 'recovery.succeeded') await followRecovery(deps, message, this.context());
  };

  /** Recorded, and not followed yet. */
  readonly failed = async (failure: Failure, over: object = {}): Promise<string> => {
    const trigger_id = `t${++this.#serial}`;
    const data = { ...FACTS, failed_at: this.#now, ...this.about, ...over, failure, trigger_id };
    await recordPaymentFailure(this.store, data, this.context());
    return trigger_id;
  };

  readonly fail = async (...how: Parameters<ActWorld['failed']>): Promise<void> => {
    await this.failed(...how);
    await this.follow(paymentStream(PAYMENT_ID));
  };

  /** Recorded, and not followed yet. */
  readonly paid = async (source: 'external' | 'link' = 'external', reference = 's'): Promise<void> => {
    const data = { transaction_ref: 'inv_1', source, trigger_id: reference, succeeded_at: this.#now };
    await recordPaymentSuccess(this.store, data, this.context());
  };

  readonly pay = async (...how: Parameters<ActWorld['paid']>): Promise<void> => {
    await this.paid(...how);
    await this.follow(paymentStream(PAYMENT_ID));
  };

  readonly cancel = () => {
    const commandId = deriveId('cancel', String(++this.#serial));
    return cancelRecovery(this.store, RECOVERY_ID, 'asked', { ...this.context(), commandId });
  };

  readonly checkout = (requestId = `click-${++this.#serial}`) =>
    openCheckout(
      { store: this.store, psp: this.psp },
      RECOVERY_ID,
      { successUrl: 'http://ok', cancelUrl: 'http://no' },
      { now: this.#now, requestId },
    );

  readonly open = () => openRecoveryLink(this.store, RECOVERY_ID, { now: this.#now, requestId: 'visit' });

  readonly run = (over: Partial<ActDependencies> = {}) =>
    act({ ...this.#deps(), ...over }, RECOVERY_ID, scheduler);

  #deps(): ActDependencies {
    return {
      store: this.store,
      rulesOf: rulesReader(this.store),
      psp: this.psp,
      clock: { now: () => new Date(this.#now) },
      faults: noFaults,
      logger: silentLogger,
      leaseId: `lease-${++this.#serial}`,
      stillMine: () => Promise.resolve(true),
      sendAlert: (alert) => {
        this.alerts.push(alert);
        return Promise.resolve({ status: 'sent' });
      },
      sendMail: (mail) => {
        this.mails.push(mail);
        return Promise.resolve({ status: 'sent' });
      },
    };
  }
}

export const actWorld = async (
  failure: Failure,
  outcomes: ChargeOutcome[] = [],
  about: object = {},
  policy?: RetryPolicy,
): Promise<ActWorld> => {
  const world = new ActWorld(new LedgerPsp(outcomes), about, policy);
  await world.fail(failure);
  return world;
};
