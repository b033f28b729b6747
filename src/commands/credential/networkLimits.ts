import { type Instant, isBefore } from '../../kernel/clock.js';
import { nextWithin } from '../../kernel/localTime.js';

/** What two attempts have to share to be counted together, beside the credential and the acceptor. */
export type Same = 'amount' | 'initiator';

/** At most `max` attempts in any `hours`. */
export interface Limit {
  readonly name: string;
  readonly hours: number;
  /** Ours: below the scheme's, because attempts that we are not told of count, too. */
  readonly max: number;
  readonly schemeMax: number;
  readonly same: readonly Same[];
  readonly source: string;
}

/** Minutes of the local day, from and to, in which a scheme takes attempts. */
export interface OpenHours {
  readonly timezone: string;
  readonly open: readonly (readonly [number, number])[];
  readonly source: string;
}

/** Dated data: no organization can go beyond it. Counters and figures as the public rules of the networks give them. */
export interface NetworkLimits {
  readonly version: number;
  readonly effectiveFrom: Instant;
  /** Retries of one recovery, whatever its policy allows (Stripe advises at most 8). */
  readonly perCase: number;
  readonly brands: Readonly<Record<string, readonly Limit[]>>;
  /** For a brand that has no row. */
  readonly others: readonly Limit[];
  readonly openHours: Readonly<Record<string, OpenHours>>;
}

const MONTH = 30 * 24;

const visa = (schemeMax: number, max: number, source: string): Limit => ({
  name: 'visa_30d',
  hours: MONTH,
  max,
  schemeMax,
  same: ['amount', 'initiator'],
  source,
});

const mastercard: readonly Limit[] = [
  {
    name: 'mastercard_24h',
    hours: 24,
    max: 9,
    schemeMax: 10,
    same: [],
    source: 'Mastercard Transaction Processing Excellence: 10 declines in 24 hours since 1 October 2022',
  },
  {
    name: 'mastercard_30d',
    hours: MONTH,
    max: 30,
    schemeMax: 35,
    same: ['amount'],
    source: 'Mastercard Transaction Processing Excellence: 35 declines of an amount in 30 days',
  },
];

/** The original entry and two more within 180 days. */
const ach: Limit = {
  name: 'ach_180d',
  hours: 180 * 24,
  max: 3,
  schemeMax: 3,
  same: ['amount'],
  source: 'Nacha Operating Rules 2.12.4: a returned entry is reinitiated at most twice within 180 days',
};

/** One attempt and three retries per execution; a mandate is executed monthly, at the earliest after 25 days. */
const upi: Limit = {
  name: 'upi_25d',
  hours: 25 * 24,
  max: 4,
  schemeMax: 4,
  same: ['amount'],
  source: 'NPCI, UPI AutoPay from 1 August 2025: one attempt and three retries of an execution',
};

const upiHours: OpenHours = {
  timezone: 'Asia/Kolkata',
  open: [
    [0, 600],
    [780, 1020],
    [1290, 1440],
  ],
  source: 'NPCI, UPI AutoPay from 1 August 2025: before 10:00, 13:00 to 17:00, after 21:30 IST',
};

const others: readonly Limit[] = [
  {
    name: 'card_30d',
    hours: MONTH,
    max: 10,
    schemeMax: 20,
    same: [],
    source: 'No public number: half of what other retry engines allow (20 in 30 days)',
  },
];

/** In order of their dates; the older stays, so that what was in force on a day can be told. */
export const networkLimits: readonly [NetworkLimits, ...NetworkLimits[]] = [
  {
    version: 1,
    effectiveFrom: '2022-10-01T00:00:00.000Z',
    perCase: 8,
    brands: {
      visa: [visa(15, 10, 'Visa Core Rules, table 7-2: 15 reattempts in 30 days until May 2025')],
      mastercard,
      ach: [ach],
    },
    others,
    openHours: {},
  },
  {
    version: 2,
    effectiveFrom: '2025-08-01T00:00:00.000Z',
    perCase: 8,
    brands: {
      visa: [visa(20, 15, 'Visa Core Rules of 18 April 2026, table 7-2: 20 reattempts in 30 days')],
      mastercard,
      ach: [ach],
      upi: [upi],
    },
    others,
    openHours: { upi: upiHours },
  },
];

/** The limits in force at an instant; the oldest known before the first date. */
export const limitsOn = (at: Instant): NetworkLimits =>
  networkLimits.findLast(({ effectiveFrom }) => !isBefore(at, effectiveFrom)) ?? networkLimits[0];

/** Whether the scheme takes attempts then. */
export const isOpen = ({ openHours }: NetworkLimits, brand: string, at: Instant): boolean => {
  const hours = openHours[brand];
  return hours === undefined || nextWithin(at, hours.timezone, hours.open) === at;
};
