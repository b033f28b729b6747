/**
 * Finds what looks like a payment card number, however it is written: in one piece or in groups, between other
 * numbers, in the digits of any script. Such a number must not enter the log, so it is refused at the door.
 *
 * A text is cut into runs of digit groups with at most eight characters between two groups that are neither letter
 * nor digit. Every span of consecutive groups is looked at: 13 to 19 digits that begin as the networks' numbers do and
 * pass the Luhn check are a card number.
 *
 * Not taken for cards, because their digits would pass by chance: UUIDs, hashes of 32, 40 or 64 hexadecimal digits,
 * dates, and telephone numbers with a plus sign and at most 13 digits (no network issues numbers as short as that now).
 */
const RUN = /[0-9]+(?:[^\p{L}0-9]{1,8}[0-9]+)*/gu;
const GROUP = /[0-9]+/g;
const PHONE = /^(?:[^\p{L}0-9]*[0-9]){1,13}$/u;
const EXEMPT = [
  /(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])/gi,
  /(?<![0-9a-z])(?=[0-9]*[a-f])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])/gi,
  /(?<![0-9])(?:19|20)[0-9]{2}([-/.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?![0-9])/g,
];

const SHORTEST = 13;
const LONGEST = 19;
/** How numbers begin, and how short they may be: ISO/IEC 7812 and the networks' own ranges. */
const ISSUED: readonly (readonly [RegExp, number])[] = [
  [/^[456]/, SHORTEST], // Visa, Mastercard, Maestro, Discover, UnionPay, RuPay, Elo
  [/^3(?:0|[4-9])/, 14], // Diners Club, American Express, JCB
  [/^2(?:20[0-5]|22[1-9]|2[3-9]|[3-6]|7[01]|720)/, 16], // Mir, Mastercard
  [/^(?:8[12]|9792)/, 16], // UnionPay, RuPay, Troy
];

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

/** What most groups of digits fail at. */
const begins = (digits: string, at: number): boolean => '23456789'.includes(digits.charAt(at));

const isCard = (digits: string): boolean =>
  ISSUED.some(([begins, shortest]) => digits.length >= shortest && begins.test(digits)) && passesLuhn(digits);

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The card numbers of a run: for each group that begins one, where the longest ends. They may overlap. */
function* cardsInRun(run: string): Generator<Span> {
  const groups = [...run.matchAll(GROUP)].map(({ 0: { length }, index }) => ({ index, length }));
  const digits = run.replace(/[^0-9]+/g, '');
  let begin = 0;
  for (const [first, { index: from, length: size }] of groups.entries()) {
    let to: number | undefined;
    let length = 0;
    for (let last = first; last < groups.length && begins(digits, begin); last++) {
      const group = groups[last] as (typeof groups)[number];
      length += group.length;
      if (length > LONGEST) break;
      if (length >= SHORTEST && isCard(digits.slice(begin, begin + length))) to = group.index + group.length;
    }
    if (to !== undefined) yield { from, to };
    begin += size;
  }
}

function* cardsIn(text: string): Generator<Span> {
  const stripped = EXEMPT.reduce(
    (rest, word) => rest.replace(word, (found) => 'x'.repeat(found.length)),
    text,
  );
  for (const { 0: run, index } of stripped.matchAll(RUN)) {
    if (run.length < SHORTEST || (stripped[index - 1] === '+' && PHONE.test(run))) continue;
    for (const { from, to } of cardsInRun(run)) yield { from: index + from, to: index + to };
  }
}

/** The decimal digits of a script stand in one row, from zero to nine. */
const asciiDigit = (digit: string): string => {
  const code = digit.codePointAt(0) as number;
  let value = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value % 10);
};

// eslint-disable-next-line no-control-regex -- ASCII, the common case, needs no folding of digit forms
const ASCII = /^[\x00-\x7f]*$/;
const folded = (text: string): string =>
  ASCII.test(text) ? text : text.normalize('NFKC').replace(/(?![0-9])\p{Nd}/gu, asciiDigit);

const holdsEnoughDigits = (text: string): boolean => {
  let count = 0;
  for (let index = 0; index < text.length && count < SHORTEST; index++) {
    const code = text.charCodeAt(index);
    if (code >= 48 && code <= 57) count++;
  }
  return count >= SHORTEST;
};

export const looksLikeCardNumber = (input: string): boolean => {
  if (input.length < SHORTEST) return false;
  const text = folded(input);
  return holdsEnoughDigits(text) && cardsIn(text).next().done !== true;
};

/** The text with every card-like number replaced; one that holds any comes back in plain digits. */
export const maskCardNumbers = (input: string): string => {
  const text = folded(input);
  if (!holdsEnoughDigits(text)) return input;
  let masked = '';
  let done = 0;
  for (const { from, to } of cardsIn(text)) {
    if (from >= done) masked += `${text.slice(done, from)}[card number]`;
    done = Math.max(done, to);
  }
  return done === 0 ? input : masked + text.slice(done);
};
