import {
  type CredentialCommand,
  credentialDecider,
  type Verdict,
} from '../../../src/commands/credential/decide.js';
import type { Ledger } from '../../../src/commands/credential/ledger.js';
import { limitsOn } from '../../../src/commands/credential/networkLimits.js';
import type { FailedData, PspRetries } from '../../../src/commands/payment/state.js';
import type { RecoveryCommand } from '../../../src/commands/recovery/command.js';
import { recoveryDecider } from '../../../src/commands/recovery/decide.js';
import { chargeOf, type Guidance } from '../../../src/commands/recovery/guidance.js';
import { circumstancesOf } from '../../../src/commands/recovery/readGuidance.js';
import type { KnownRecovery, Recovery } from '../../../src/commands/recovery/state.js';
import type { RuleSet } from '../../../src/commands/rules/match.js';
import type { CredentialEvent } from '../../../src/events/credential.js';
import type { RetryPolicy } from '../../../src/events/organization.js';
import type { RecoveryEvent } from '../../../src/events/recovery.js';
import { type Instant, plus } from '../../../src/kernel/clock.js';
import type { Dice } from '../random.js';
import { type Answer, answersOf } from './answers.js';
import { type Charged, Oracle } from './oracle.js';

/** A payment that is charged to the card, and its recovery. */
export interface Debt {
  readonly id: string;
  readonly amount: number;
  readonly policy: RetryPolicy;
  state: Recovery;
  /** Grows with every event. */
  version: number;
  failed?: FailedData;
  /** The payment knows of its success. */
  paid: boolean;
  failures: number;
  pspRetries?: PspRetries;
}

/** What a charge came to at the PSP, which answers the same key with the same. */
interface Charge {
  readonly outcome: 'succeeded' | Answer;
  readonly at: number;
  /** So often it says that it does not know yet. */
  silent: number;
  told: boolean;
}

/** What is decided with, and how much was known when it was read. */
export type Told = Guidance & { readonly knowledge: number };

/** One card and what happens to it, in memory: the deciders' own events, and a PSP that answers by chance. */
export class Card {
  now: Instant;
  ledger: Ledger = credentialDecider.initialState;
  readonly oracle: Oracle;
  readonly answers: readonly Answer[];
  readonly charges = new Map<string, Charge>();
  readonly counts: Record<string, number> = {};
  readonly log: { readonly stream: string; readonly event: RecoveryEvent | CredentialEvent }[] = [];

  constructor(
    readonly dice: Dice,
    readonly about: { readonly brand: string; readonly country?: string; readonly rules: RuleSet },
    start: Instant,
  ) {
    this.now = start;
    this.answers = answersOf(about.brand);
    this.oracle = new Oracle(about.brand, about.country);
  }

  note(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  wait(ms: number): void {
    this.now = plus(this.now, ms);
  }

  onCredential(command: CredentialCommand): Ledger {
    for (const event of credentialDecider.decide(command, this.ledger)) {
      this.ledger = credentialDecider.evolve(this.ledger, event);
      this.log.push({ stream: 'credential', event });
    }
    return this.ledger;
  }

  guidance({ failed, paid }: Debt, ledger = this.ledger, knowledge = this.oracle.knowledge): Told {
    if (failed === undefined) throw new Error('it has not failed');
    return {
      rules: this.about.rules,
      ledger,
      limits: limitsOn(this.now),
      circumstances: circumstancesOf(failed),
      ...(paid && { paid }),
      readAt: { payment: 0, credential: 0 },
      knowledge,
    };
  }

  /** Decided from the recovery as it is now: a command decided from an older state would be decided anew. */
  give(debt: Debt, command: RecoveryCommand): readonly RecoveryEvent[] {
    const events = recoveryDecider.decide(command, debt.state);
    const guidance = 'guidance' in command.data ? (command.data.guidance as Told) : undefined;
    for (const event of events) {
      debt.state = recoveryDecider.evolve(debt.state, event);
      debt.version++;
      this.log.push({ stream: debt.id, event });
      this.note(event.type);
      if (event.type === 'RetryScheduled' && guidance !== undefined)
        this.oracle.schedules(this.charged(debt), Date.parse(event.data.at), guidance.knowledge);
    }
    return events;
  }

  charged({ id, amount }: Debt, by: Charged['initiator'] = 'merchant'): Charged {
    return { payment: id, amount, currency: 'EUR', initiator: by };
  }

  chargeOf(debt: Debt, known: KnownRecovery) {
    return chargeOf(known, this.guidance(debt).circumstances);
  }

  /** The PSP is asked to charge; what it does when the request arrives is what the network sees. */
  charge(debt: Debt, key: string, knowledge: number): Charge['outcome'] | undefined {
    const { dice } = this;
    const known = this.charges.get(key);
    if (known === undefined && dice.chance(0.06)) return undefined;
    const charge = known ?? {
      outcome: dice.chance(0.08) ? ('succeeded' as const) : dice.oneOf(this.answers),
      at: Date.parse(this.now),
      silent: dice.chance(0.1) ? 1 + dice.below(3) : 0,
      told: false,
    };
    if (known === undefined) {
      const declined = charge.outcome !== 'succeeded';
      this.oracle.charges(this.charged(debt), charge.at, declined, knowledge);
      this.note('charged');
      this.charges.set(key, charge);
    }
    return this.#answer(charge);
  }

  lookup(key: string): Charge['outcome'] | 'not_found' | undefined {
    const known = this.charges.get(key);
    return known === undefined ? 'not_found' : this.#answer(known);
  }

  #answer(charge: Charge): Charge['outcome'] | undefined {
    return charge.silent-- > 0 ? undefined : charge.outcome;
  }

  /** Whoever was answered writes it down. */
  learns({ id, state }: Debt, key: string): void {
    const charge = this.charges.get(key);
    if (charge === undefined || charge.told || charge.outcome === 'succeeded') return;
    charge.told = true;
    const begun = state.status === 'none' ? undefined : state.open?.startedAt;
    this.oracle.learns(id, charge.at, charge.outcome, begun === undefined ? charge.at : Date.parse(begun));
  }

  record(triggerId: string, at: Instant, verdict: Verdict, amount: number, initiator: Charged['initiator']) {
    const charge = { amount, currency: 'EUR', brand: this.about.brand, initiator };
    return this.onCredential({ type: 'RecordExternalAttempt', data: { triggerId, charge, verdict, at } });
  }
}
