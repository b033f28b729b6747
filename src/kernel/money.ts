/**
 * How many decimals a currency's minor unit has by ISO 4217. Intl goes by everyday use instead (no decimals for HUF or
 * IQD), which would show such amounts a hundred or a thousand times too large.
 */
const exponents: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ),
  ...Object.fromEntries('BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3])),
  CLF: 4,
  UYW: 4,
};

export const currencyExponent = (currency: string): number =>
  Object.hasOwn(exponents, currency) ? (exponents[currency] ?? 2) : 2;

/** Minor units as text a customer reads, e.g. 1050 EUR → "€10.50". An unusable locale falls back to English. */
export const formatMoney = (amount: number, currency: string, locale = 'en'): string => {
  const digits = currencyExponent(currency);
  const format = (tag: string): string =>
    new Intl.NumberFormat(tag, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(amount / 10 ** digits);
  try {
    return format(Intl.getCanonicalLocales(locale)[0] ?? 'en');
  } catch {
    return format('en');
  }
};
