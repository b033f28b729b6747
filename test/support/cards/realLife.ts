/** A card's story lived by the workers and the saga themselves, over a store in memory, before the same judge. */
import { act, type ActDependencies } from '../../../src/commands/recovery/act.js';
import { cancelRecovery } from '../../../src/commands/recovery/cancel.js';
import { dueAction } from '../../../src/commands/recovery/due.js';
import { recoveryDecider } from '../../../src/commands/recovery/decide.js';
import { followFailure, followSuccess } from '../../../src/commands/recovery/followPayment.js';
import { load } from '../../../src/commands/handle.js';
import { recordPaymentFailure, recordPaymentSuccess } from '../../../src/commands/payment/record.js';
import { toPublicMessage } from '../../../src/events/integration/toPublicMessage.js';
import type { NewEvent, RecordedEvent } from '../../../src/events/envelope.js';
import type { RetryPolicy } from '../../../src/events/organization.js';
import { paymentStream } from '../../../src/events/payment.js';
import { type RecoveryEvent, recoveryStream } from '../../../src/events/recovery.js';
import { MemoryEventStore } from '../../../src/infra/eventStore/memoryEventStore.js';
import { DAY, HOUR, type Instant, MINUTE, plus } from '../../../src/kernel/clock.js';
import { deriveId, type OrgId, paymentIdOf, type RecoveryId, recoveryIdOf } from '../../../src/kernel/ids.js';
import { silentLogger } from '../../../src/kernel/logger.js';
import type { ChargeOutcome, Debt, Psp } from '../../../src/kernel/ports.js';
import { type Dice, dice as diceOf, randomOf } from '../random.js';
import { type Answer, answersOf } from './answers.js';
import { aPolicy, someRules } from './merchants.js';
import { Oracle } from './oracle.js';

const ORG = deriveId('org') as OrgId;
const START = '2027-01-25T09:30:00.000Z';
const brands = ['visa', 'mastercard', 'amex', 'unknown', 'upi', 'ach'];

class Died extends Error {}

/** What came of a key at the PSP. */
interface Made {
  readonly outcome: 'succeeded' | Answer;
  readonly ref: string;
  readonly at: number;
  silent: number;
  told: boolean;
}

/** Every schedule is judged as it is written down. */
class JudgedStore extends MemoryEventStore {
  onSchedule: (stream: string, at: Instant) => void = () => undefined;

  override async append(...args: Parameters<MemoryEventStore['append']>) {
    const result = await super.append(...args);
    const [stream, , events] = args as [string, unknown, readonly NewEvent[]];
    for (const { type, data } of events)
      if (type === 'RetryScheduled') this.onSchedule(stream, (data as { at: Instant }).at);
    return result;
  }
}

export class RealLife {
  readonly counts: Record<string, number> = {};
  readonly #store = new JudgedStore();
  readonly #dice: Dice;
  readonly #oracle: Oracle;
  readonly #brand: string;
  readonly #country: string | undefined;
  readonly #policy: RetryPolicy;
  readonly #rules;
  readonly #made = new Map<string, Made>();
  readonly #amounts = new Map<string, number>();
  #now: Instant = START;
  #serial = 0;
  /** How much was known when the workers that now run set out. */
  #known: number | undefined;

  constructor(seed: number) {
    this.#dice = diceOf(randomOf(seed));
    const { oneOf } = this.#dice;
    this.#brand = oneOf(brands);
    this.#country = this.#brand === 'upi' ? 'IN' : oneOf([undefined, undefined, undefined, 'DE', 'IN']);
    this.#policy = aPolicy(this.#dice);
    this.#rules = someRules(this.#dice);
    this.#oracle = new Oracle(this.#brand, this.#country);
    this.#store.onSchedule = (stream, at) => this.#judgeSchedule(stream, at);
  }

  /** @throws Broken when a charge or a schedule breaks what the networks want */
  async live(): Promise<void> {
    const { below, chance, oneOf } = this.#dice;
    this.#now = plus(START, below(60 * DAY));
    await this.#fail('inv_1');
    for (let step = 0; step < 25; step++) {
      const refs = [...this.#amounts.keys()];
      const what = below(24);
      if (what < 3 && refs.length < 4) await this.#fail(`inv_${refs.length + 1}`);
      else if (what < 6) await this.#fail(oneOf(refs));
      else if (what === 6 && chance(0.3)) await this.#pay(oneOf(refs));
      else if (what === 7 && chance(0.2)) await this.#cancel(oneOf(refs));
      else await this.#pass();
      await this.#work();
    }
  }

  readonly #context = () => ({
    principal: { actor: { type: 'system', id: 'test' }, orgId: ORG } as const,
    correlationId: 'c',
    causationId: 'c',
    now: this.#now,
  });

  /** First by both, so that all know that they are one card's. */
  #names(): { readonly id?: string; readonly fingerprint?: string } {
    const both = { id: 'pm', fingerprint: 'fp' };
    return this.#serial === 0 ? both : this.#dice.oneOf([both, { id: 'pm' }, { fingerprint: 'fp' }]);
  }

  readonly #rulesOf = () => Promise.resolve(this.#rules);

  #note(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #charged(ref: string, by: 'merchant' | 'customer' = 'merchant') {
    return { payment: ref, amount: this.#amounts.get(ref) ?? 0, currency: 'EUR', initiator: by };
  }

  #judgeSchedule(stream: string, at: Instant): void {
    const ref = [...this.#amounts.keys()].find((one) => stream === recoveryStream(this.#recovery(one)));
    this.#note('scheduled');
    if (ref !== undefined && this.#known === undefined)
      this.#oracle.schedules(this.#charged(ref), Date.parse(at), this.#oracle.knowledge);
  }

  readonly #recovery = (ref: string): RecoveryId => recoveryIdOf(paymentIdOf(ORG, ref));

  async #newest(stream: string): Promise<RecordedEvent> {
    const events: RecordedEvent[] = [];
    for await (const page of this.#store.readStream(stream)) events.push(...page);
    const newest = events.at(-1);
    if (newest === undefined) throw new Error(`${stream} is empty`);
    return newest;
  }

  async #follow(ref: string): Promise<void> {
    const message = toPublicMessage(await this.#newest(paymentStream(paymentIdOf(ORG, ref))));
    const deps = { store: this.#store, rulesOf: this.#rulesOf };
    const policyOf = () => Promise.resolve(this.#policy);
    const meansOf = () => Promise.resolve({ chargeable: true, payable: true });
    if (message?.type === 'payment.failed')
      await followFailure({ ...deps, policyOf, meansOf }, message, this.#context());
    if (message?.type === 'payment.succeeded') await followSuccess(deps, message, this.#context());
  }

  async #fail(ref: string): Promise<void> {
    const { oneOf, chance } = this.#dice;
    if (!this.#amounts.has(ref)) this.#amounts.set(ref, oneOf([4_900, 4_900, 990]));
    const { failure, ...answer } = oneOf(answersOf(this.#brand));
    const data = {
      transaction_ref: ref,
      amount: this.#amounts.get(ref) ?? 0,
      currency: 'EUR',
      gateway: 'sandbox',
      customer: { email: 'ada@example.com' },
      failure: { ...failure, card_brand: this.#brand },
      payment_method: { ...this.#names(), ...(this.#country && { country: this.#country }) },
      ...(chance(0.1) && { psp_retries: { next_at: plus(this.#now, DAY) } }),
      trigger_id: `t${++this.#serial}`,
      failed_at: this.#now,
    };
    await recordPaymentFailure(this.#store, data, this.#context());
    const told = this.#charged(ref, answer.by);
    this.#oracle.toldOf(told, Date.parse(this.#now), { failure, ...answer });
    await this.#follow(ref);
  }

  async #pay(ref: string): Promise<void> {
    const source = 'external' as const;
    const data = { transaction_ref: ref, source, trigger_id: `paid ${ref}`, succeeded_at: this.#now };
    await recordPaymentSuccess(this.#store, data, this.#context());
    this.#oracle.paid(ref);
    if (this.#dice.chance(0.5)) await this.#follow(ref);
  }

  async #cancel(ref: string): Promise<void> {
    const context = { ...this.#context(), commandId: deriveId('cancel', String(++this.#serial)) };
    this.#note('cancelled');
    await cancelRecovery(this.#store, this.#recovery(ref), 'asked', context).catch(() => undefined);
  }

  readonly #state = async (ref: string) =>
    (await load(this.#store, recoveryDecider, recoveryStream(this.#recovery(ref)))).state;

  /** On to when a charge is due, mostly not late. */
  async #pass(): Promise<void> {
    const { chance, below, oneOf } = this.#dice;
    const state = await this.#state(oneOf([...this.#amounts.keys()]));
    const next = state.status === 'none' ? undefined : (state.open?.checkAt ?? state.scheduled?.at);
    const late = chance(0.6) ? 0 : below(chance(0.7) ? 10 * MINUTE : 2 * DAY);
    this.#now = next !== undefined && next > this.#now ? plus(next, late) : plus(this.#now, below(12 * HOUR));
  }

  /** All that is due, by one worker after the other or several at once, of whom some die. */
  async #work(): Promise<void> {
    const { chance } = this.#dice;
    const due: string[] = [];
    for (const ref of this.#amounts.keys())
      if (dueAction(await this.#state(ref), this.#now) !== undefined) due.push(ref);
    if (chance(0.7)) {
      for (const ref of due) await this.#act(ref);
      return;
    }
    const workers = chance(0.3) ? [...due, ...due] : due;
    if (workers.length > 1) this.#note('at once');
    this.#known = this.#oracle.knowledge;
    await Promise.all(workers.map((ref) => this.#act(ref)));
    this.#known = undefined;
  }

  async #act(ref: string): Promise<void> {
    const dies = this.#dice.chance(0.1) ? this.#dice.below(6) : Infinity;
    let reached = 0;
    const faults: ActDependencies['faults'] = (point) => {
      if (point === 'retry:after-slot') this.#learn(ref);
      if (reached++ >= dies) throw new Died(point);
    };
    const deps: ActDependencies = {
      store: this.#store,
      rulesOf: this.#rulesOf,
      psp: this.#psp(ref),
      sendMail: () => Promise.resolve({ status: 'sent' }),
      sendAlert: () => Promise.resolve({ status: 'sent' }),
      clock: { now: () => new Date(this.#now) },
      faults,
      logger: silentLogger,
      leaseId: `lease-${++this.#serial}`,
      stillMine: () => Promise.resolve(true),
    };
    const scheduler = { actor: { type: 'system', id: 'scheduler' }, orgId: ORG } as const;
    await act(deps, this.#recovery(ref), scheduler).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
      this.#note('died');
    });
  }

  /** Whoever was answered has written it down on the card. */
  #learn(ref: string): void {
    for (const made of this.#made.values()) {
      if (made.ref !== ref || made.told || made.silent >= 0) continue;
      made.told = true;
      if (made.outcome === 'succeeded') this.#oracle.paid(ref);
      else this.#oracle.learns(ref, made.at, made.outcome);
    }
  }

  #answer(made: Made): ChargeOutcome {
    if (made.silent-- > 0) return { status: 'unknown', reason: 'timeout' };
    if (made.outcome === 'succeeded') return { status: 'succeeded', reference: 'ch' };
    return { status: 'declined', failure: { ...made.outcome.failure, card_brand: this.#brand } };
  }

  #charge(ref: string, key: string): ChargeOutcome {
    const { chance, below, oneOf } = this.#dice;
    const known = this.#made.get(key);
    if (known !== undefined) return this.#answer(known);
    if (chance(0.06)) return { status: 'unknown', reason: 'lost' };
    const outcome = chance(0.08) ? ('succeeded' as const) : oneOf(answersOf(this.#brand));
    const at = Date.parse(this.#now);
    const made = { outcome, ref, at, silent: chance(0.1) ? 1 + below(3) : 0, told: false };
    const knowledge = this.#known ?? this.#oracle.knowledge;
    this.#oracle.charges(this.#charged(ref), at, outcome !== 'succeeded', knowledge);
    this.#note(outcome === 'succeeded' ? 'succeeded' : 'declined');
    this.#made.set(key, made);
    return this.#answer(made);
  }

  #psp(ref: string): Psp {
    const { chance } = this.#dice;
    return {
      charge: (_: Debt, key) => Promise.resolve(this.#charge(ref, key)),
      lookup: (_: Debt, key) => {
        const made = this.#made.get(key);
        return Promise.resolve(made === undefined ? { status: 'not_found' } : this.#answer(made));
      },
      stopRetries: () => {
        this.#note('told to stop');
        return Promise.resolve(
          chance(0.3) ? { status: 'left', reason: 'no invoice' } : { status: 'stopped' },
        );
      },
      openCheckout: () => Promise.reject(new Error('nobody goes there')),
      closeCheckout: () => Promise.resolve({ status: 'closed' }),
    };
  }

  /** What the log tells, for whoever looks for the fault. */
  async told(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const ref of this.#amounts.keys())
      for await (const page of this.#store.readStream(recoveryStream(this.#recovery(ref))))
        for (const { type, data } of page as unknown as readonly RecoveryEvent[])
          lines.push(`${ref} ${type} ${JSON.stringify(data)}`);
    return lines;
  }
}
