import type { Category, Hardness, RetryPermission } from '../../../events/recovery.js';
import { type CardBrand, cardBrands } from '../../../kernel/cardBrand.js';
import { type Instant, instantOf, MINUTE } from '../../../kernel/clock.js';
import { DomainError } from '../../../kernel/errors.js';
import { type CodeField, codeFields, type TableFile, type TableGroup, type TableRow } from './tableFile.js';
import { faultsOfTable } from './tableFaults.js';

/** What a code means of a card of one brand. */
export interface Meaning {
  readonly category: Category | undefined;
  /** Undefined: as the category has it. */
  readonly retry: RetryPermission | undefined;
  /** Not before this long after the failure, in milliseconds. */
  readonly wait: number | undefined;
  /** The network's own word: it counts before the PSP's advice. */
  readonly urgent: boolean;
  /** Undefined: it holds whatever else the failure says. */
  readonly when: TableRow['when'];
  /** What is read where `when` does not fit. */
  readonly otherwise: Meaning | undefined;
}

type Lookup = (code: string) => Meaning | undefined;

/** A version of the tables, ready to be asked. */
export interface Tables {
  readonly version: string;
  readonly effectiveFrom: Instant;
  /** The same in milliseconds of the epoch. */
  readonly effectiveMs: number;
  readonly file: TableFile;
  readonly categories: Readonly<
    Record<Category, { readonly hardness: Hardness; readonly retry: RetryPermission }>
  >;
  /** The most retries after a category, where it has a cap. */
  readonly retryCaps: Readonly<Partial<Record<Category, number>>>;
  readonly codes: Readonly<Record<CodeField, Readonly<Record<CardBrand, Lookup>>>>;
  readonly messages: readonly MessagePattern[];
}

interface MessagePattern {
  readonly pattern: RegExp;
  readonly name: string;
  readonly category: Category;
}

const meaningOf = (row: TableRow, { fields, brands }: TableGroup): Meaning => ({
  category: row.category,
  retry: row.visa_category === 1 ? 'never' : row.retry,
  wait: row.wait_minutes === undefined ? undefined : row.wait_minutes * MINUTE,
  urgent: row.visa_category === 1 || (fields.includes('advice_code') && brands !== undefined),
  when: row.when,
  otherwise: undefined,
});

/** A later group adds what a card means where no earlier one fits. */
const after = (earlier: Meaning | undefined, later: Meaning): Meaning => {
  if (earlier === undefined) return later;
  return earlier.when === undefined ? earlier : { ...earlier, otherwise: after(earlier.otherwise, later) };
};

const matcherOf = (pattern: string): ((code: string) => boolean) => {
  const text = pattern.replaceAll('*', '');
  if (!pattern.startsWith('*')) return (code) => code.startsWith(text);
  return pattern.endsWith('*') ? (code) => code.includes(text) : (code) => code.endsWith(text);
};

type Fold = (code: string) => string;
const asItIs: Fold = (code) => code;
const upper: Fold = (code) => code.trim().toUpperCase();
const padded: Fold = (code) => upper(code).replace(/^\d$/, '0$&');
const folds: Readonly<Record<CodeField, Fold>> = {
  advice_code: padded,
  network_code: padded,
  decline_code: upper,
  code: upper,
};

/** Codes as they are come before folded ones, and these before those with a `*`. */
const lookupOf = (groups: readonly TableGroup[], fold: Fold): Lookup => {
  const exact = new Map<string, Meaning>();
  const folded = new Map<string, Meaning>();
  const open: [(code: string) => boolean, Meaning][] = [];
  for (const group of groups)
    for (const row of group.rows) {
      const meaning = meaningOf(row, group);
      for (const code of row.codes) {
        const name = fold(code);
        if (code.includes('*')) open.push([matcherOf(name), meaning]);
        else {
          exact.set(code, after(exact.get(code), meaning));
          folded.set(name, after(folded.get(name), meaning));
        }
      }
    }
  return (code) => {
    const known = exact.get(code);
    if (known !== undefined) return known;
    const name = fold(code);
    return folded.get(name) ?? open.find(([matches]) => matches(name))?.[1];
  };
};

const byBrand = ({ groups, folded }: TableFile, field: CodeField): Record<CardBrand, Lookup> => {
  const fold = folded === true ? folds[field] : asItIs;
  const ofField = groups.filter(({ fields }) => fields.includes(field));
  return Object.fromEntries(
    cardBrands.map((brand) => [
      brand,
      lookupOf(
        ofField.filter(({ brands }) => brands === undefined || brands.includes(brand)),
        fold,
      ),
    ]),
  ) as Record<CardBrand, Lookup>;
};

/**
 * Makes a table file ready to classify by.
 * @throws DomainError `validation_failed` naming every field that cannot be used, and what is allowed there
 */
export const compileTables = (json: unknown): Tables => {
  const faults = faultsOfTable(json);
  if (faults.length > 0)
    throw new DomainError('validation_failed', 'The decline tables cannot be used', faults);
  const file = json as TableFile;
  return {
    version: file.version,
    effectiveFrom: instantOf(file.effective_from) ?? file.effective_from,
    effectiveMs: Date.parse(file.effective_from),
    file,
    categories: file.categories,
    retryCaps: Object.fromEntries(
      Object.entries(file.categories).flatMap(([category, { max_retries: cap }]) =>
        cap === undefined ? [] : [[category, cap]],
      ),
    ),
    codes: Object.fromEntries(codeFields.map((field) => [field, byBrand(file, field)])) as Tables['codes'],
    messages: file.messages.patterns.map(({ pattern, name = pattern, category }) => ({
      pattern: new RegExp(pattern, 'i'),
      name,
      category,
    })),
  };
};
