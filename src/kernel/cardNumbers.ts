/**
 * Finds what looks like a payment card number: 13 to 19 digits, also with spaces or dashes between them, that pass
 * the Luhn check. Such a number must not enter the log, so it is refused at the door.
 *
 * Not taken for cards, as one in ten such digit runs would pass Luhn by chance: UUIDs, long hexadecimal words
 * (hashes) and telephone numbers (a plus sign and at most 15 digits).
 */
const CANDIDATE = /(?<![0-9])(?:[0-9][\s\p{Pd}]{0,3}){12,18}[0-9](?![0-9])/gu;
const RUN = /[0-9](?:[\s\p{Pd}]{0,3}[0-9]){12,}/gu;
const UUID = /(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])/gi;
const HASH = /(?<![0-9a-z])(?=[0-9]*[a-f])[0-9a-f]{24,}(?![0-9a-z])/gi;
const THIRTEEN_DIGITS = /[0-9](?:[^0-9]{0,3}[0-9]){12}/;

/** The check digit rule of ISO/IEC 7812. */
export const passesLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
};

const isCard = (run: string): boolean => {
  const digits = run.replace(/[^0-9]/g, '');
  return digits.length >= 13 && digits.length <= 19 && !/^0+$/.test(digits) && passesLuhn(digits);
};

/** How cards are printed: digits per group. */
const LAYOUTS = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 4, 4, 1],
  [4, 6, 5],
  [4, 6, 4],
] as const;

/** A card among other numbers: its groups as printed, somewhere within a longer run of digits and separators. */
const holdsPrintedCard = (run: string): boolean => {
  const groups = run.split(/[\s\p{Pd}]+/u);
  return groups.some((first, from) =>
    /^[2-6]/.test(first)
      ? LAYOUTS.some(
          (layout) =>
            layout.every((size, index) => groups[from + index]?.length === size) &&
            isCard(groups.slice(from, from + layout.length).join('')),
        )
      : false,
  );
};

const holdsCard = (run: string): boolean => isCard(run) || holdsPrintedCard(run);

const isPhone = (text: string, run: string, at: number): boolean =>
  text[at - 1] === '+' && run.replace(/[^0-9]/g, '').length <= 15;

export const looksLikeCardNumber = (input: string): boolean => {
  if (input.length < 13) return false;
  // eslint-disable-next-line no-control-regex -- ASCII, the common case, needs no folding of digit forms
  const text = /^[\x00-\x7f]*$/.test(input) ? input : input.normalize('NFKC');
  if (!THIRTEEN_DIGITS.test(text)) return false;
  const stripped = text.replace(UUID, '#').replace(HASH, '#');
  for (const match of stripped.matchAll(RUN))
    if (!isPhone(stripped, match[0], match.index) && holdsCard(match[0])) return true;
  return false;
};

/** The text with every card-like number replaced. */
export const maskCardNumbers = (text: string): string =>
  THIRTEEN_DIGITS.test(text) ? text.replace(CANDIDATE, (run) => (isCard(run) ? '[card number]' : run)) : text;
