import { currencyExponent } from './money.js';

/** Where Stripe's smallest unit is not ISO 4217's: it writes ISK and UGX with two decimals and MGA with none. */
const stripeExponents: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const shiftOf = (currency: string): number =>
  Object.hasOwn(stripeExponents, currency)
    ? (stripeExponents[currency] ?? 0) - currencyExponent(currency)
    : 0;

/** Stripe's amount in our minor units. */
export const fromStripeAmount = (amount: number, currency: string): number =>
  Math.round(amount / 10 ** shiftOf(currency));

/** Our minor units as Stripe's amount. */
export const toStripeAmount = (amount: number, currency: string): number =>
  Math.round(amount * 10 ** shiftOf(currency));
