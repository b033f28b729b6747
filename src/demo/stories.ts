import { createHash } from 'node:crypto';
import type { DeclineName } from './declines.js';

/** What somebody does beside our retries. */
export type Deed =
  /** The customer opens the link of mail number `mail`, some hours after it was sent … */
  | {
      readonly does: 'looks' | 'pays' | 'pays_at_second_try';
      readonly mail: number;
      readonly hours: number;
    }
  /** … or the merchant, the PSP or the customer acts elsewhere, on that day. */
  | { readonly does: 'pays_elsewhere' | 'psp_retries' | 'merchant_cancels'; readonly day: number };

export type Channel = 'intent' | 'invoice' | 'charge' | 'api';

/** One failed payment, and what becomes of it. */
export interface Story {
  readonly ref: string;
  readonly channel: Channel;
  readonly decline: DeclineName;
  /** What the sandbox PSP answers to our charges, in order. */
  readonly script: string;
  readonly amount: number;
  readonly currency: string;
  readonly name: string;
  readonly email: string;
  readonly deed?: Deed;
  /** The one whose timeline is told at the end. */
  readonly told?: true;
}

interface Plot extends Partial<Pick<Story, 'channel' | 'deed' | 'told'>> {
  readonly times: number;
  readonly decline: DeclineName;
  readonly script: string;
}

const plot = (times: number, decline: DeclineName, script: string, rest: Partial<Plot> = {}): Plot => ({
  times,
  decline,
  script,
  ...rest,
});
const pays = (mail: number, hours: number): Partial<Plot> => ({ deed: { does: 'pays', mail, hours } });
const broke = 'insufficient_funds';

const plots: readonly Plot[] = [
  plot(5, broke, 'success'),
  plot(4, broke, `${broke},success`),
  plot(2, broke, `${broke},${broke},${broke},success`),
  plot(3, broke, broke),
  plot(1, broke, broke, { ...pays(1, 12), told: true, channel: 'intent' }),
  plot(1, broke, broke, { deed: { does: 'pays_elsewhere', day: 3 }, channel: 'intent' }),
  plot(1, broke, broke, { deed: { does: 'psp_retries', day: 2 }, channel: 'invoice' }),
  plot(1, broke, 'stolen_card'),
  plot(2, 'do_not_honor', 'success'),
  plot(2, 'do_not_honor', 'do_not_honor,success'),
  plot(1, 'do_not_honor', 'do_not_honor', { deed: { does: 'merchant_cancels', day: 2 } }),
  plot(1, 'do_not_honor', 'do_not_honor', pays(2, 24)),
  plot(1, 'do_not_honor', 'do_not_honor'),
  plot(3, 'processing_error', 'success'),
  plot(1, 'timeout', 'timeout', { channel: 'api' }),
  plot(1, 'timeout', 'timeout_unrecorded,success', { channel: 'api' }),
  plot(1, 'card_velocity_exceeded', 'success'),
  plot(1, 'expired_card', 'expired_card', pays(1, 12)),
  plot(1, 'expired_card', 'expired_card', pays(1, 48)),
  plot(1, 'expired_card', 'expired_card', { deed: { does: 'looks', mail: 1, hours: 36 } }),
  plot(2, 'expired_card', 'expired_card'),
  plot(1, 'authentication_required', 'authentication_required', pays(1, 12)),
  plot(1, 'authentication_required', 'authentication_required', pays(1, 24)),
  plot(1, 'authentication_required', 'authentication_required', {
    deed: { does: 'pays_at_second_try', mail: 2, hours: 12 },
  }),
  plot(1, 'authentication_required', 'authentication_required'),
  plot(1, 'stolen_card', 'stolen_card', pays(1, 72)),
  plot(1, 'stolen_card', 'stolen_card'),
  plot(1, 'stop_payment_order', 'stop_payment_order'),
  plot(1, 'invalid_amount', 'invalid_amount', { channel: 'api' }),
];

const firstNames =
  'Ada Bruno Chiara Dmitri Elif Femi Greta Hiro Ines Jonas Kavya Luca Mina Noor Oskar Priya'.split(' ');
const lastNames = 'Abe Berg Costa Diallo Endo Fischer Garcia Hansen Ito Jansen Khan Lopez Moreau'.split(' ');
const currencies = ['EUR', 'USD', 'EUR', 'JPY', 'USD', 'EUR', 'USD'];
const prices = { JPY: [980, 1_980, 4_980, 12_800], other: [900, 1_900, 2_950, 4_900, 9_900, 14_900] };
const events: readonly Channel[] = ['intent', 'intent', 'invoice', 'charge'];

/** 0 ≤ chance < 1, the same in every run. */
const chance = (...seed: readonly (string | number)[]): number =>
  createHash('sha256').update(seed.join(':')).digest().readUInt32BE(0) / 2 ** 32;

const pick = <T>(from: readonly T[], ...seed: readonly (string | number)[]): T =>
  from[Math.floor(chance(...seed) * from.length)] as T;

const storyOf = ({ times: _, ...plot }: Plot, index: number): Story => {
  const ref = `INV-${2041 + index}`;
  const currency = currencies[index % currencies.length] ?? 'EUR';
  const first = firstNames[index % firstNames.length] ?? '';
  const last = lastNames[index % lastNames.length] ?? '';
  return {
    channel: index % 2 === 0 ? 'api' : pick(events, ref, 'event'),
    ...plot,
    ref,
    currency,
    amount: pick(currency === 'JPY' ? prices.JPY : prices.other, ref, 'price'),
    name: `${first} ${last}`,
    email: `${first}.${last}@example.com`.toLowerCase(),
  };
};

/** The batch, in the order in which it comes in. */
export const stories: readonly Story[] = plots
  .flatMap((plot) => Array.from({ length: plot.times }, () => plot))
  .map(storyOf)
  .sort((a, b) => chance(a.ref, 'order') - chance(b.ref, 'order'));
