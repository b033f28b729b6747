/** Parsers of option values; each says what it wants. */
import { InvalidArgumentError } from 'commander';
import { eventSchemas } from '../events/registry.js';
import { streamKinds } from '../events/streams.js';
import { isUuid } from '../kernel/ids.js';
import { UsageError } from './failure.js';

export const integer =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`Give an integer from ${min} to ${max}.`);
    return value;
  };

/** Counted as the API counts them. */
export const text =
  (max: number, min = 1) =>
  (given: string): string => {
    const { length } = [...given];
    if (length < min || length > max) throw new InvalidArgumentError(`Give ${min} to ${max} characters.`);
    return given;
  };

export const port = integer(0, 65_535);

export const uuid = (text: string): string => {
  const lower = text.toLowerCase();
  if (!isUuid(lower)) throw new InvalidArgumentError('Give a UUID.');
  return lower;
};

/** Postgres's bigint is the widest position there is. */
export const position = (text: string): bigint => {
  const value = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (value < 0n || value > 9_223_372_036_854_775_807n) {
    throw new InvalidArgumentError(
      'Give a position as events and the X-Event-Position header show it, e.g. 4711.',
    );
  }
  return value;
};

const DATE = /^\d{4}-\d\d-\d\d$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** A day stands for its first moment in UTC; a time needs its offset, because a bare one means another thing elsewhere. */
export const instant = (text: string): string => {
  const known = DATE.test(text) || INSTANT.test(text);
  const ms = known ? Date.parse(text) : NaN;
  // Date.parse takes the 31st of June for the 1st of July.
  const day = Number(text.slice(8, 10));
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  if (Number.isNaN(ms) || day > days) {
    throw new InvalidArgumentError(
      'Give an instant like 2026-11-23T10:00:00Z or a day like 2026-11-23 (UTC).',
    );
  }
  return new Date(ms).toISOString();
};

/** @throws UsageError when nothing lies from the one instant to the other */
export const refuseEmptyRange = (
  { from, to }: { readonly from?: string; readonly to?: string },
  command: string,
): void => {
  if (from !== undefined && to !== undefined && from >= to)
    throw new UsageError(`Nothing lies from ${from} to ${to}: give a later --to.`, command);
};

/** Repeatable, and several at once with commas. */
export const eventTypes = (text: string, previous: readonly string[] = []): readonly string[] => {
  const given = text.split(',').map((type) => type.trim());
  const unknown = given.find((type) => !Object.hasOwn(eventSchemas, type));
  if (unknown !== undefined) {
    const types = Object.keys(eventSchemas).sort().join(', ');
    throw new InvalidArgumentError(`There is no event type "${unknown}". There are: ${types}.`);
  }
  return [...new Set([...previous, ...given])];
};

/** `<aggregate>-<uuid>` */
export const stream = (text: string): string => {
  const kind = streamKinds.find((one) => text.startsWith(`${one}-`));
  if (kind === undefined || !isUuid(text.slice(kind.length + 1))) {
    const names = streamKinds.map((one) => `${one}-<id>`).join(', ');
    throw new InvalidArgumentError(`Streams are named ${names}, with a UUID in lower case.`);
  }
  return text;
};

export const oneOf =
  <const V extends readonly string[]>(values: V) =>
  (text: string, previous: readonly V[number][] = []): readonly V[number][] => {
    const value = values.find((allowed) => allowed === text);
    if (value === undefined) throw new InvalidArgumentError(`Give one of ${values.join(', ')}.`);
    return [...new Set([...previous, value])];
  };
