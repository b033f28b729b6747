import { MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_TEXT } from '../../events/schema.js';
import { objectOf } from '../../kernel/json.js';

/** Reading of foreign JSON: every accessor answers undefined for a wrong shape and never throws. */
export { type Json, objectOf } from '../../kernel/json.js';

export const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Postgres refuses NUL in text and lone surrogates in jsonb. */
const storable = (text: string): string => text.replaceAll('\0', '').replace(/[\ud800-\udfff]/gu, '\ufffd');

/** A non-empty text of at most `max` characters; a longer one is no text (an id must not be cut). */
export const textOf = (value: unknown, max = 200): string | undefined => {
  if (typeof value !== 'string' || value.length > max) return undefined;
  const text = storable(value).trim();
  return text === '' ? undefined : text;
};

/** Free text may be cut. */
export const proseOf = (value: unknown, max: number): string | undefined =>
  typeof value === 'string' ? textOf(value.slice(0, max), max) : undefined;

export const integerOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;

/** An id, or the id of the object that was expanded in its place. */
export const idOf = (value: unknown): string | undefined => textOf(value) ?? textOf(objectOf(value)?.['id']);

/** The object without the keys whose value is undefined. */
export const compact = <T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** Text values only, within the bounds of our metadata (events/schema.ts). */
export const textsOf = (value: unknown): Record<string, string> => {
  const entries = Object.entries(objectOf(value) ?? {}).flatMap(([key, each]) => {
    const text = textOf(each, MAX_METADATA_TEXT);
    return text === undefined || key === '' || key.length > MAX_METADATA_KEY || storable(key) !== key
      ? []
      : ([[key, text]] as const);
  });
  return Object.fromEntries(entries.slice(0, MAX_METADATA));
};

/** Unix time at the end of the year 9999. */
export const MAX_SECONDS = 253_402_300_799;
