import type { Instant } from '../../../kernel/clock.js';
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
