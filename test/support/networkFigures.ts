/** What the networks allow and what we do, as their public rules and our defaults say it: not as the code has it. */

export interface Figure {
  readonly days: number;
  readonly scheme: number;
  readonly ours: number;
  readonly perAmount: boolean;
  /** Whether charges by the customer and by the merchant are counted apart. */
  readonly apart: boolean;
}
type Figures = Readonly<Record<string, readonly Figure[]>>;

const together = { perAmount: false, apart: false } as const;
const perAmount = { perAmount: true, apart: false } as const;
const mastercard: readonly Figure[] = [
  { days: 1, scheme: 10, ours: 9, ...together },
  { days: 30, scheme: 35, ours: 30, ...perAmount },
];
const ach: readonly Figure[] = [{ days: 180, scheme: 3, ours: 3, ...perAmount }];
const others: readonly Figure[] = [{ days: 30, scheme: 20, ours: 10, ...together }];

/** From 1 August 2025 on. */
export const figuresNow: Figures = {
  visa: [{ days: 30, scheme: 20, ours: 15, perAmount: true, apart: true }],
  mastercard,
  ach,
  upi: [{ days: 25, scheme: 4, ours: 4, ...perAmount }],
  others,
};

/** From 1 October 2022 on. */
export const figuresThen: Figures = {
  visa: [{ days: 30, scheme: 15, ours: 10, perAmount: true, apart: true }],
  mastercard,
  ach,
  others,
};

export const figuresOf = (brand: string, figures = figuresNow): readonly Figure[] =>
  figures[brand] ?? figures.others ?? [];

interface Tried {
  readonly amount: number;
  readonly currency: string;
  readonly initiator: string;
}

/** Whether a network counts two attempts on one card together. */
export const countsWith = ({ perAmount: byAmount, apart }: Figure, one: Tried, other: Tried): boolean =>
  (!byAmount || (one.amount === other.amount && one.currency === other.currency)) &&
  (!apart || one.initiator === other.initiator);
