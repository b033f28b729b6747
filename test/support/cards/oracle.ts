import { DAY, HOUR } from '../../../src/kernel/clock.js';
import { countsWith, figuresOf } from '../networkFigures.js';
import type { Answer } from './answers.js';

export interface Charged {
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly initiator: 'merchant' | 'customer';
}

interface Tried extends Charged {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ours: boolean;
  readonly learnt: number;
}
interface Known {
  readonly learnt: number;
  /** When it happened; of an attempt of ours, when it began. */
  readonly at: number;
  readonly payment: string;
  readonly means: Answer['means'] | 'paid';
  readonly until: number;
}

/** Of two that happened at once, the one that was learnt later. */
const newestOf = (known: readonly Known[]): Known | undefined =>
  known.reduce<Known | undefined>(
    (newest, each) => (newest && each.at < newest.at ? newest : each),
    undefined,
  );

const INDIA = 5.5 * HOUR;
/** Minutes of the Indian day in which UPI takes no debit. */
const upiClosed: readonly (readonly [number, number])[] = [
  [600, 780],
  [1_020, 1_290],
];

/** What a charge would break. */
export class Broken extends Error {}

/**
 * The attempts on one card as its network sees them, and what everybody could know of it. Counts for itself, by the
 * figures of the networks, and looks at nothing of the system's own but what it charges and schedules.
 */
export class Oracle {
  readonly #tried: Tried[] = [];
  readonly #known: Known[] = [];
  readonly #refused = new Map<string, number>();

  constructor(
    private readonly brand: string,
    private readonly country: string | undefined,
  ) {}

  /** How much is known: what is learnt later was not known then. */
  get knowledge(): number {
    return this.#known.length + this.#tried.length;
  }

  /** An attempt that somebody else made and that was declined; told now. */
  toldOf(charged: Charged, at: number, answer: Answer): void {
    this.#tried.push({ ...charged, at, ours: false, learnt: this.knowledge });
    this.learns(charged.payment, at, answer);
  }

  /** The answer to an attempt of ours. @param begun when it began: it may have been asked for again since */
  learns(payment: string, at: number, { means, wait = 0, failure }: Answer, begun = at): void {
    this.#known.push({ learnt: this.knowledge, payment, at: begun, means, until: at + wait });
    if (failure.decline_code === 'testmode_decline')
      this.#refused.set(payment, (this.#refused.get(payment) ?? 0) + 1);
  }

  paid(payment: string): void {
    this.#known.push({ learnt: this.knowledge, payment, at: 0, means: 'paid', until: 0 });
  }

  /** @param knowledge how much whoever charges could know when they set out to */
  charges(charged: Charged, at: number, declined: boolean, knowledge: number): void {
    this.#check('charge', charged, at, knowledge, true);
    const mine = this.#tried.filter(({ ours, payment }) => ours && payment === charged.payment).length;
    if (mine - (this.#refused.get(charged.payment) ?? 0) >= 8)
      throw new Broken('charge: a payment is tried more than 8 times');
    if (declined) this.#tried.push({ ...charged, at, ours: true, learnt: this.knowledge });
  }

  schedules(charged: Charged, at: number, knowledge: number): void {
    this.#check('schedule', charged, at, knowledge, false);
  }

  #check(what: string, charged: Charged, at: number, knowledge: number, withOurs: boolean): void {
    const fault =
      this.#forbidden(charged.payment, at, knowledge) ??
      this.#outsideHours(at) ??
      this.#overLimit(charged, at, knowledge, withOurs);
    if (fault !== undefined) throw new Broken(`${what}: ${fault}`);
  }

  #forbidden(payment: string, at: number, knowledge: number): string | undefined {
    const known = this.#known.filter(({ learnt }) => learnt < knowledge);
    const own = known.filter((each) => each.payment === payment);
    if (known.some(({ means }) => means === 'dead')) return 'after a hard decline of the card';
    if (own.some(({ means }) => means === 'paid')) return 'after a success of the payment';
    if (newestOf(own)?.means === 'change') return 'before anything changed';
    if (known.some(({ until }) => at < until)) return "before the network's wait is over";
    if (this.country === 'IN' && this.brand !== 'upi') return 'without the notice that India wants';
    return undefined;
  }

  #outsideHours(at: number): string | undefined {
    const minute = ((at + INDIA) % DAY) / 60_000;
    const closed = this.brand === 'upi' && upiClosed.some(([from, to]) => minute >= from && minute < to);
    return closed ? 'outside the hours of UPI' : undefined;
  }

  /** Attempts of ours count also when they were made while this one was on its way. */
  #overLimit(charged: Charged, at: number, knowledge: number, withOurs: boolean): string | undefined {
    const known = this.#tried.filter(({ learnt, ours }) => learnt < knowledge || (withOurs && ours));
    const over = figuresOf(this.brand).find((figure) => {
      const since = at - figure.days * DAY;
      const counted = known.filter((each) => each.at > since && countsWith(figure, each, charged));
      return counted.length + 1 > figure.ours;
    });
    return over && `more than ${over.ours} in ${over.days} days`;
  }
}
