import { cardBrandOf } from './cardBrand.js';

/** Of Stripe's own words and Mastercard's merchant advice: 2 forbids, 1 wants a change first; all others let time pass. */
const strictness: ReadonlyMap<string, number> = new Map([
  ...['03', '21', '41', 'do_not_try_again'].map((code): [string, number] => [code, 2]),
  ...['01', '04', '22', '40', 'confirm_card_data'].map((code): [string, number] => [code, 1]),
]);

const strict = (code: string): number => strictness.get(code) ?? 0;

/**
 * Stripe gives two kinds of advice, its own words (`do_not_try_again`, `try_again_later`, `confirm_card_data`) and the
 * network's two digits (Mastercard's merchant advice code); a Failure has room for one. The stricter wins; of two alike
 * the network's, which says more. The digits say nothing of another network's card.
 */
export const strictestAdvice = (
  adviceCode: string | undefined,
  networkAdviceCode: string | undefined,
  cardBrand: string | undefined,
): string | undefined => {
  if (adviceCode === undefined || networkAdviceCode === undefined) return networkAdviceCode ?? adviceCode;
  const brand = cardBrandOf(cardBrand === undefined ? {} : { card_brand: cardBrand });
  const binds = brand === 'mastercard' || brand === 'unknown';
  return binds && strict(networkAdviceCode) >= strict(adviceCode) ? networkAdviceCode : adviceCode;
};
