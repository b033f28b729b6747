import type { Category, Classification, Evidence, RetryPermission } from '../../../events/recovery.js';
import { type CardBrand, cardBrandOf } from '../../../kernel/cardBrand.js';
import { type Instant, plus } from '../../../kernel/clock.js';
import type { Failure } from '../../../kernel/ports.js';
import type { Meaning, Tables } from './compileTables.js';
import type { CodeField } from './tableFile.js';
import { newestTables, tablesInForceOn, tablesOfVersion } from './tables.js';

interface Finding {
  readonly step: CodeField | 'message';
  readonly value: string;
  readonly category: Category | undefined;
  readonly retry: RetryPermission | undefined;
  readonly wait: number | undefined;
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** What is read of one failure. */
interface Reading {
  readonly found: Finding[];
  readonly unmapped: string[];
}

const strictness: Readonly<Record<RetryPermission, number>> = { allowed: 0, after_change: 1, never: 2 };

const fits = ({ when }: Meaning, { source, step }: Failure): boolean =>
  when === undefined ||
  ((when.source === undefined || (source !== undefined && when.source.includes(source))) &&
    (when.step === undefined || (step !== undefined && when.step.includes(step))));

const meaningOf = (
  tables: Tables,
  field: CodeField,
  brand: CardBrand,
  failure: Failure,
): Meaning | undefined => {
  const code = failure[field];
  if (code === undefined) return undefined;
  let meaning = tables.codes[field][brand](code);
  while (meaning !== undefined && !fits(meaning, failure)) meaning = meaning.otherwise;
  return meaning;
};

const note = (
  { found, unmapped }: Reading,
  step: CodeField,
  value: string | undefined,
  meaning: Meaning | undefined,
): void => {
  if (value === undefined) return;
  if (meaning === undefined) return void unmapped.push(`${step}:${value}`);
  const { category, retry, wait } = meaning;
  if (category !== undefined || retry !== undefined || wait !== undefined)
    found.push({ step, value, category, retry, wait });
};

/** A word after `code`, one in quotes that names no field, `stolen_card`, or one that is the whole text. */
const CITED = new RegExp(
  [
    '(?:\\b[a-z]+_)?code\\W{1,4}([a-z0-9_]+)',
    '(?<!(?:field|param|parameter|property|key)s?\\W{1,3})(?!(?<=[{,]\\s*)"\\w+"\\s*:)[`\'"‘“](?!\\w*code\\b)([a-z0-9_]+)[`\'"’”](?!\\W(?:field|param))',
    '\\b([a-z0-9]+(?:_[a-z0-9]+)+)',
    '^\\W*([a-z0-9]+)\\W*$',
  ].join('|'),
  'gi',
);

/** Decline codes that a text cites. */
const citedIn = (message: string, failure: Failure, tables: Tables): Finding[] =>
  [...message.matchAll(CITED)].flatMap(([, ...words]): Finding[] => {
    const value = words.find((word) => word !== undefined) ?? '';
    const cited = { ...failure, decline_code: value };
    const meaning = meaningOf(tables, 'decline_code', cardBrandOf(failure), cited);
    if (meaning?.category === undefined) return [];
    return [{ step: 'message', value, category: meaning.category, retry: meaning.retry, wait: undefined }];
  });

const patternIn = (message: string, tables: Tables): Finding[] => {
  const match = tables.messages.find(({ pattern }) => pattern.test(message));
  if (match === undefined) return [];
  const { name: value, category } = match;
  return [{ step: 'message', value, category, retry: undefined, wait: undefined }];
};

/** That it was declined says the least. */
const isVague = ({ category }: Finding): boolean => category === 'issuer_decline';

/** The strictest first; a wait is a word of codes: a text names no time. */
const ofMessage = (message: string, failure: Failure, tables: Tables): readonly Finding[] => {
  const pattern = patternIn(message, tables);
  if (tables.file.messages.cited !== true) return pattern;
  const rankOf = (finding: Finding): number => {
    const own = finding.category === undefined ? 'allowed' : tables.categories[finding.category].retry;
    return strictness[own] - (isVague(finding) ? 1 : 0);
  };
  return [...citedIn(message, failure, tables), ...pattern].sort((one, other) => rankOf(other) - rankOf(one));
};

/** Strongest evidence first; the message counts only when no code named a category. */
const read = (failure: Failure, tables: Tables): Reading => {
  const reading: Reading = { found: [], unmapped: [] };
  const { advice_code, network_code, decline_code, code, message } = failure;
  const brand = cardBrandOf(failure);
  const advice = meaningOf(tables, 'advice_code', brand, failure);
  const network = meaningOf(tables, 'network_code', brand, failure);
  const networkFirst = network?.urgent === true && advice?.urgent !== true;
  if (networkFirst) note(reading, 'network_code', network_code, network);
  note(reading, 'advice_code', advice_code, advice);
  if (!networkFirst) note(reading, 'network_code', network_code, network);
  note(reading, 'decline_code', decline_code, meaningOf(tables, 'decline_code', brand, failure));
  note(reading, 'code', code, meaningOf(tables, 'code', brand, failure));
  if (message === undefined || reading.found.some(({ category }) => category !== undefined)) return reading;
  reading.found.push(...ofMessage(message, failure, tables));
  return reading;
};

const rawOf = (failure: Failure): Evidence['raw'] => {
  const { code, decline_code, network_code, advice_code, card_brand, source, step } = failure;
  const raw: Draft<Evidence['raw']> = {};
  if (code !== undefined) raw.code = code;
  if (decline_code !== undefined) raw.decline_code = decline_code;
  if (network_code !== undefined) raw.network_code = network_code;
  if (advice_code !== undefined) raw.advice_code = advice_code;
  if (card_brand !== undefined) raw.card_brand = card_brand;
  if (source !== undefined) raw.source = source;
  if (step !== undefined) raw.step = step;
  return raw;
};

const evidenceOf = (
  failure: Failure,
  { version }: Tables,
  { found, unmapped }: Reading,
  winner: Finding | undefined,
): Evidence => {
  const deciding = winner ?? found[0];
  const evidence: Draft<Evidence> = {
    step: deciding?.step ?? 'none',
    table_version: version,
    raw: rawOf(failure),
  };
  if (deciding !== undefined) evidence.value = deciding.value.slice(0, 100);
  if (unmapped.length > 0) evidence.unmapped = unmapped;
  return evidence;
};

/** What all evidence together allows; without a category, as much as the unknown one. */
const strictest = ({ found }: Reading, { categories }: Tables) => {
  let { retry } = categories[found.find(({ category }) => category !== undefined)?.category ?? 'unknown'];
  let wait = 0;
  for (const finding of found) {
    const said = finding.category === undefined ? 'allowed' : categories[finding.category].retry;
    for (const permission of [said, finding.retry ?? 'allowed'])
      if (strictness[permission] > strictness[retry]) retry = permission;
    if (finding.wait !== undefined && finding.wait > wait) wait = finding.wait;
  }
  return { retry, wait };
};

/**
 * What a failure means: the first evidence names the category, the strictest of all evidence gives the permission.
 * @param failedAt from when a network's waiting time counts
 * @param tables those in force when it is decided
 */
export const classify = (
  failure: Failure,
  failedAt: Instant,
  tables: Tables = tablesInForceOn(failedAt),
): Classification => {
  const reading = read(failure, tables);
  const winner = reading.found.find((finding) => finding.category !== undefined);
  const category = winner?.category ?? 'unknown';
  const { retry, wait } = strictest(reading, tables);
  const classification: Draft<Classification> = {
    category,
    hardness: retry === 'never' ? 'hard' : tables.categories[category].hardness,
    retry,
    evidence: evidenceOf(failure, tables, reading, winner),
  };
  if (wait > 0) classification.earliest_at = plus(failedAt, wait);
  return classification;
};

/** What the codes of a failure allow by themselves, by the tables that it was read by. */
export const permissionByCodes = ({ raw, table_version }: Evidence): RetryPermission => {
  const tables = tablesOfVersion(table_version) ?? newestTables;
  return strictest(read(raw, tables), tables).retry;
};
