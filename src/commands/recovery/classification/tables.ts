import { isDeepStrictEqual } from 'node:util';
import type { Instant } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/errors.js';
import { compileTables, type Tables } from './compileTables.js';
import first from './tables/2026-11-24.json' with { type: 'json' };
import perNetwork from './tables/2026-11-29.json' with { type: 'json' };

/** Every version there was, the oldest first. A version is never changed: a new one takes its place. */
export const allTables: readonly Tables[] = [first, perNetwork].map(compileTables);

const oldest = allTables[0] as Tables;
export const newestTables = allTables[allTables.length - 1] as Tables;

/** The version in force at an instant; before the first, the first. */
export const tablesInForceOn = (at: Instant): Tables => {
  const ms = Date.parse(at);
  return allTables.findLast(({ effectiveMs }) => effectiveMs <= ms) ?? oldest;
};

export const tablesOfVersion = (version: string): Tables | undefined =>
  allTables.find((tables) => tables.version === version);

/**
 * Tables of somebody's own, to be tried.
 * @throws DomainError `validation_failed` as `compileTables`, and where they go by the version of other ones
 */
export const otherTables = (json: unknown): Tables => {
  const tables = compileTables(json);
  const known = tablesOfVersion(tables.version);
  if (known === undefined || isDeepStrictEqual(known.file, tables.file)) return tables;
  const detail = 'must be a version of its own: there are other tables of this one';
  throw new DomainError('validation_failed', 'The decline tables cannot be used', [
    { pointer: '/version', detail },
  ]);
};
