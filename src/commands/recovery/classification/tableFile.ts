import { Type, type Static } from 'typebox';
import { categories, hardnesses, retryPermissions } from '../../../events/recovery.js';
import { closed, enumOf, Timestamp } from '../../../events/schema.js';
import { cardBrands } from '../../../kernel/cardBrand.js';

/** The fields of a failure that hold a code, the strongest evidence first. */
export const codeFields = ['advice_code', 'network_code', 'decline_code', 'code'] as const;
export type CodeField = (typeof codeFields)[number];

const Word = Type.String({ minLength: 1, maxLength: 100 });
const Text = Type.String({ minLength: 1, maxLength: 300 });
const Category = enumOf(categories);
const Words = Type.Array(Word, { minItems: 1 });

const RowSchema = closed({
  /** `*` at the beginning or at the end stands for any text. */
  codes: Type.Array(
    Type.String({
      pattern: '^(?=.{2,100}$)\\*?[^*]+\\*?$|^[^*]$',
      description: 'a code of 1 to 100 characters, with * for any text at its beginning or end at most',
    }),
    { minItems: 1 },
  ),
  category: Type.Optional(Category),
  /** Stricter than the category; a milder one than the category's has no effect. */
  retry: Type.Optional(enumOf(retryPermissions)),
  /** Not before this long after the failure: 366 days at most. */
  wait_minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 527_040 })),
  /** 1: the issuer will never approve. */
  visa_category: Type.Optional(Type.Integer({ minimum: 1, maximum: 4 })),
  /** Only of a failure that names one of these. */
  when: Type.Optional(closed({ source: Type.Optional(Words), step: Type.Optional(Words) })),
  /** Known, and says nothing: it is not unmapped. */
  silent: Type.Optional(Type.Literal(true)),
  note: Type.Optional(Text),
});
export type TableRow = Static<typeof RowSchema>;

const GroupSchema = closed({
  name: Text,
  /** One of the table's sources. */
  source: Word,
  /** Which fields of a failure its codes stand in. */
  fields: Type.Array(enumOf(codeFields), { minItems: 1 }),
  /** Only of these cards; without it, of every card. */
  brands: Type.Optional(Type.Array(enumOf(cardBrands), { minItems: 1 })),
  rows: Type.Array(RowSchema, { minItems: 1 }),
});
export type TableGroup = Static<typeof GroupSchema>;

const Defaults = closed({
  hardness: enumOf(hardnesses),
  retry: enumOf(retryPermissions),
  /** Fewer retries than the policy allows, whatever it says. */
  max_retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
});

/** A version of the decline tables, as it lies in `tables/`. Of two groups that know a code of a card, the first is read. */
export const TableFileSchema = closed({
  version: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$',
    description: 'letters, digits, dots and dashes, e.g. 2026-11-29',
  }),
  effective_from: Timestamp,
  summary: Text,
  sources: Type.Record(Type.String(), Text),
  /** Codes are read whatever their letter case; where digits stand, also without the zero before a single one. */
  folded: Type.Optional(Type.Literal(true)),
  categories: closed(
    Object.fromEntries(categories.map((category) => [category, Defaults])) as Record<
      (typeof categories)[number],
      typeof Defaults
    >,
  ),
  groups: Type.Array(GroupSchema, { minItems: 1 }),
  /** Regular expressions, case-insensitive; the first that matches counts, and only when no code named a category. */
  messages: closed({
    source: Word,
    /** Decline codes that a text cites are read beside the patterns. */
    cited: Type.Optional(Type.Literal(true)),
    patterns: Type.Array(
      closed({
        /** What people are told that was found in the text. */
        name: Type.Optional(
          Type.String({ pattern: '^[A-Za-z][A-Za-z ]{0,49}$', description: 'a few words, of letters' }),
        ),
        pattern: Text,
        category: Category,
      }),
    ),
  }),
});
export type TableFile = Static<typeof TableFileSchema>;
