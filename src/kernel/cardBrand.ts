/** `unknown`: not told, or in a word that we do not know; whatever holds for some brand must be assumed of it. */
export const cardBrands = [
  'visa',
  'mastercard',
  'amex',
  'discover',
  'diners',
  'jcb',
  'unionpay',
  'rupay',
  'upi',
  'ach',
  'unknown',
] as const;
export type CardBrand = (typeof cardBrands)[number];

/** Without blanks and signs, in lower case. Maestro and Electron are rails of their owners. */
export const brandWords: Readonly<Record<CardBrand, string>> = {
  visa: 'visa vi visacredit visadebit visaelectron electron vpay',
  mastercard: 'mastercard master mc mastercardcredit mastercarddebit eurocard maestro',
  amex: 'amex americanexpress ax',
  discover: 'discover discovercard',
  diners: 'diners dinersclub dinersclubinternational dinersclubcarteblanche',
  jcb: 'jcb',
  unionpay: 'unionpay chinaunionpay cup',
  rupay: 'rupay',
  // No cards, but rails whose operators limit retries as card networks do.
  upi: 'upi upiautopay',
  ach: 'ach usbankaccount achdebit',
  unknown: 'unknown',
};

const brands: ReadonlyMap<string, CardBrand> = new Map(
  Object.entries(brandWords).flatMap(([brand, all]) =>
    all.split(' ').map((word): [string, CardBrand] => [word, brand as CardBrand]),
  ),
);

/** The brand that a word stands for, however it is written; undefined where it is none of ours. */
export const brandNamed = (word: string): CardBrand | undefined =>
  brands.get(word) ?? brands.get(word.toLowerCase().replace(/[^a-z]/g, ''));

/** The network of a card, however the PSP writes it. */
export const cardBrandOf = ({ card_brand: said }: { readonly card_brand?: string }): CardBrand =>
  (said === undefined ? undefined : brandNamed(said)) ?? 'unknown';
