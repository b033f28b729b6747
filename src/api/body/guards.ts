import { looksLikeCardNumber } from '../../kernel/cardNumbers.js';
import { DomainError, type FieldError } from '../../kernel/errors.js';
import { objectOf } from '../../kernel/json.js';

/** Deeper documents are refused before anything walks them recursively. */
export const MAX_DEPTH = 32;
const MAX_ERRORS = 20;
const LONE_SURROGATE = /\p{Surrogate}/u;
const SHORTEST_CARD = 1e12;
const REFUSED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

interface Shape {
  readonly depth: number;
  readonly members: number;
}

/** Where the string that opens at `at` ends. */
const endOfString = (json: string, at: number): number => {
  let end = json.indexOf('"', at + 1);
  for (;;) {
    let backslashes = 0;
    while (json.charCodeAt(end - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = json.indexOf('"', end + 1);
  }
};

/** Reads the nesting depth and the number of object members off the text of a valid JSON document. */
const shapeOf = (json: string): Shape => {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === 34) at = endOfString(json, at);
    else if (char === 58) members++;
    else if (char === 123 || char === 91) deepest = Math.max(deepest, ++depth);
    else if (char === 125 || char === 93) depth--;
  }
  return { depth: deepest, members };
};

const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const textFault = (text: string): string | undefined => {
  if (text.includes('\0')) return 'must not hold the character U+0000';
  if (LONE_SURROGATE.test(text)) return 'must not hold half of a surrogate pair';
  if (looksLikeCardNumber(text)) return 'looks like a payment card number, which is never accepted';
  return undefined;
};

const numberFault = (value: number): string | undefined => {
  if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) return 'is beyond the numbers that can be kept exactly';
  if (Math.abs(value) >= SHORTEST_CARD && looksLikeCardNumber(String(value)))
    return 'looks like a payment card number, which is never accepted';
  return undefined;
};

const leafFault = (value: unknown): string | undefined => {
  if (typeof value === 'string') return textFault(value);
  return typeof value === 'number' ? numberFault(value) : undefined;
};
const keyFault = (key: string): string | undefined =>
  REFUSED_KEYS.has(key) ? 'a reserved word' : textFault(key);

/** Walks a document of bounded depth; the pointer never repeats a key that is itself refused. */
class Inspection {
  readonly faults: FieldError[] = [];
  members = 0;

  value(value: unknown, pointer: string): void {
    if (this.faults.length >= MAX_ERRORS) return;
    if (Array.isArray(value)) value.forEach((item, index) => this.value(item, `${pointer}/${index}`));
    else if (typeof value === 'object' && value !== null) this.object(value, pointer);
    else this.note(leafFault(value), pointer);
  }

  private object(object: object, pointer: string): void {
    for (const [key, value] of Object.entries(object)) {
      this.members++;
      const fault = keyFault(key);
      if (fault === undefined) this.value(value, `${pointer}/${escapePointer(key)}`);
      else this.note(`has a field whose name is refused: ${fault}`, pointer);
    }
  }

  private note(detail: string | undefined, pointer: string): void {
    if (detail !== undefined && this.faults.length < MAX_ERRORS) this.faults.push({ pointer, detail });
  }
}

const refuse = (errors: readonly FieldError[]): never => {
  throw new DomainError('validation_failed', 'The body holds what is not accepted', errors);
};

/** Faults of a value whatever its schema: card numbers, NUL, lone surrogates, inexact numbers, reserved keys. */
export const inspect = (value: unknown): readonly FieldError[] => {
  const inspection = new Inspection();
  inspection.value(value, '');
  return inspection.faults;
};

/** An object without the members, at any depth, for which `inspect` would refuse it. */
export const withoutFaults = <T extends object>(object: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(object).flatMap(([key, value]: [string, unknown]) => {
      if (keyFault(key) !== undefined || leafFault(value) !== undefined) return [];
      const inner = objectOf(value);
      return [[key, inner === undefined ? value : withoutFaults(inner)]];
    }),
  ) as Partial<T>;

/**
 * Parses a JSON document strictly. Refused although JSON allows them: nesting beyond 32, a field name given twice in
 * one object (readers disagree on which counts), numbers that would change by being read, NUL, lone surrogates,
 * `__proto__` and its kin, and card numbers anywhere.
 * @throws DomainError `not_parsable` | `validation_failed`
 */
export const parseJson = (text: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The cause quotes the input, so it is dropped.
    throw new DomainError('not_parsable', 'The body is not valid JSON');
  }
  const shape = shapeOf(text);
  if (shape.depth > MAX_DEPTH)
    return refuse([{ pointer: '', detail: `must not be nested deeper than ${MAX_DEPTH} levels` }]);
  const inspection = new Inspection();
  inspection.value(value, '');
  if (inspection.faults.length > 0) return refuse(inspection.faults);
  if (inspection.members !== shape.members)
    return refuse([{ pointer: '', detail: 'must not give a field name twice in one object' }]);
  return value;
};
