import { isDeepStrictEqual } from 'node:util';
import { createAjv } from '../../../events/ajv.js';
import { toFieldErrors } from '../../../events/fieldErrors.js';
import type { FieldError } from '../../../kernel/errors.js';
import { type TableFile, TableFileSchema, type TableGroup, type TableRow } from './tableFile.js';

const validate = createAjv({ verbose: true }).compile(TableFileSchema);

const sourceFault = (file: TableFile, source: string, pointer: string): FieldError[] =>
  Object.hasOwn(file.sources, source)
    ? []
    : [{ pointer, detail: `must be one of the sources: ${Object.keys(file.sources).join(', ')}` }];

/** What a row says besides its codes must fit together. */
const rowFaults = (row: TableRow, pointer: string): FieldError[] => {
  const { category, retry, wait_minutes, visa_category, when, silent } = row;
  const says = category !== undefined || retry !== undefined || wait_minutes !== undefined;
  const faults: FieldError[] = [];
  if (says === (silent === true))
    faults.push({
      pointer,
      detail: 'must have a category, retry or wait_minutes, or be silent, and not both',
    });
  if (visa_category === 1 && retry !== undefined && retry !== 'never')
    faults.push({ pointer: `${pointer}/retry`, detail: 'must be never, or left out, in Visa category 1' });
  if (when !== undefined && when.source === undefined && when.step === undefined)
    faults.push({ pointer: `${pointer}/when`, detail: 'must name a source or a step' });
  return faults;
};

/** The same code under the same condition cannot have two meanings. */
const repeats = ({ rows }: TableGroup, pointer: string): FieldError[] => {
  const seen = new Set<string>();
  return rows.flatMap(({ codes, when }, row) =>
    codes.flatMap((code, index) => {
      const name = JSON.stringify([code, when]);
      const known = seen.has(name);
      seen.add(name);
      if (!known) return [];
      const detail = 'is listed twice in this group: each code once';
      return [{ pointer: `${pointer}/rows/${row}/codes/${index}`, detail }];
    }),
  );
};

const isSame = (one: TableGroup, other: TableGroup): boolean =>
  one.name === other.name || isDeepStrictEqual({ ...one, name: '' }, { ...other, name: '' });

/** Of a group that is there twice the second would never be read. */
const repeatedGroup = ({ groups }: TableFile, group: TableGroup, index: number): FieldError[] => {
  const first = groups.findIndex((other) => isSame(other, group));
  const detail = `must differ from /groups/${first} in its name, and in what it says`;
  return first < index ? [{ pointer: `/groups/${index}`, detail }] : [];
};

const groupFaults = (file: TableFile): FieldError[] =>
  file.groups.flatMap((group, index) => {
    const pointer = `/groups/${index}`;
    return [
      ...repeatedGroup(file, group, index),
      ...sourceFault(file, group.source, `${pointer}/source`),
      ...group.rows.flatMap((row, at) => rowFaults(row, `${pointer}/rows/${at}`)),
      ...repeats(group, pointer),
    ];
  });

const patternFault = (pattern: string): string | undefined => {
  try {
    return new RegExp(pattern, 'i').test('')
      ? 'must not match an empty text: it would match every message'
      : undefined;
  } catch {
    return 'must be a regular expression of JavaScript, without slashes and flags';
  }
};

const messageFaults = (file: TableFile): FieldError[] => [
  ...sourceFault(file, file.messages.source, '/messages/source'),
  ...file.messages.patterns.flatMap(({ pattern }, index) => {
    const detail = patternFault(pattern);
    return detail === undefined ? [] : [{ pointer: `/messages/patterns/${index}/pattern`, detail }];
  }),
];

/** Everything that is wrong with a table file: where, and what is allowed. */
export const faultsOfTable = (json: unknown): readonly FieldError[] =>
  validate(json)
    ? [...groupFaults(json as TableFile), ...messageFaults(json as TableFile)]
    : toFieldErrors(validate.errors ?? []);
