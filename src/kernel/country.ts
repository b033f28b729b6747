const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
/** Regions that are none: unions, the Canaries, and Unicode's own for tests and for "unknown". */
const pseudo = new Set(['EU', 'EZ', 'IC', 'UN', 'XA', 'XB', 'ZZ']);

/** The code of a country as it is written today: GB for UK, DE for DD; undefined where two letters name none. */
export const countryNamed = (letters: string): string | undefined => {
  const { region = letters } = new Intl.Locale(`und-${letters}`);
  return pseudo.has(region) || names.of(region) === undefined ? undefined : region;
};
