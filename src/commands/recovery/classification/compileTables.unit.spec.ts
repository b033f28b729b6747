import { expect } from 'chai';
import { isDomainError } from '../../../kernel/errors.js';
import { compileTables } from './compileTables.js';
import type { TableFile } from './tableFile.js';
import { allTables, tablesInForceOn, tablesOfVersion } from './tables.js';

type Mutable = { -readonly [K in keyof TableFile]: TableFile[K] } & Record<string, unknown>;

const file = (): Mutable => structuredClone(tablesOfVersion('2026-11-29')?.file) as Mutable;

/** `pointer detail` of every fault. */
const faults = (json: unknown): string[] => {
  try {
    compileTables(json);
  } catch (error) {
    if (!isDomainError(error)) throw error;
    expect(error.code).to.equal('validation_failed');
    return error.errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
  }
  return [];
};

describe('compileTables', () => {
  const group = (row: object, rest: object = {}) => ({
    name: 'one',
    source: 'visa',
    fields: ['code'],
    rows: [{ codes: ['a'], category: 'unknown' }, row],
    ...rest,
  });
  const at = '/groups/0/rows/1';
  const broken: readonly [string, object, RegExp][] = [
    [
      'an unknown category',
      { codes: ['b'], category: 'poor' },
      /^\/groups\/0\/rows\/1\/category must be one of insufficient_funds, issuer_decline,/,
    ],
    [
      'an unknown permission',
      { codes: ['b'], retry: 'maybe' },
      /retry must be one of never, after_change, allowed$/,
    ],
    [
      'an unknown field',
      { codes: ['b'], category: 'unknown', wat: 1 },
      new RegExp(`^${at}/wat is not a known field`),
    ],
    [
      'a code listed twice',
      { codes: ['b', 'a'], category: 'revoked' },
      new RegExp(`^${at}/codes/1 is listed twice`),
    ],
    ['no code', { codes: [], category: 'unknown' }, new RegExp(`^${at}/codes must NOT have fewer than 1`)],
    [
      'a star within a code',
      { codes: ['a*b'], category: 'unknown' },
      /codes\/0 must be: a code of 1 to 100 characters/,
    ],
    [
      'a star alone',
      { codes: ['*'], category: 'unknown' },
      /codes\/0 must be: a code of 1 to 100 characters/,
    ],
    ['a wait of no time', { codes: ['b'], wait_minutes: 0 }, /wait_minutes must be >= 1/],
    ['a wait beyond a year', { codes: ['b'], wait_minutes: 1e9 }, /wait_minutes must be <= 527040/],
    ['a wait in words', { codes: ['b'], wait_minutes: '1h' }, /wait_minutes must be of type integer/],
    ['a row that says nothing', { codes: ['b'] }, new RegExp(`^${at} must have a category`)],
    [
      'a silent row that speaks',
      { codes: ['b'], silent: true, retry: 'never' },
      new RegExp(`^${at} must have a category`),
    ],
    [
      'a permission against Visa category 1',
      { codes: ['b'], visa_category: 1, retry: 'allowed' },
      /retry must be never, or left out/,
    ],
    [
      'a fifth Visa category',
      { codes: ['b'], category: 'unknown', visa_category: 5 },
      /visa_category must be <= 4/,
    ],
    [
      'an empty condition',
      { codes: ['b'], category: 'unknown', when: {} },
      /when must name a source or a step/,
    ],
  ];
  for (const [name, row, message] of broken)
    it(`refuses ${name}, and says where and what is allowed`, () => {
      const said = faults({ ...file(), groups: [group(row)] });
      expect(said).to.have.length(1);
      expect(said[0]).to.match(message);
    });

  it('refuses a source that is not there, a field and a brand that there are not', () => {
    const groups = [group({ codes: ['b'], retry: 'never' }, { source: 'hearsay' })];
    expect(faults({ ...file(), groups })[0]).to.match(
      /^\/groups\/0\/source must be one of the sources: visa, /,
    );
    const other = group({ codes: ['b'], retry: 'never' }, { fields: ['iban'], brands: ['visa', 'acme'] });
    expect(faults({ ...file(), groups: [other] })).to.deep.equal([
      '/groups/0/fields/0 must be one of advice_code, network_code, decline_code, code',
      '/groups/0/brands/1 must be one of visa, mastercard, amex, discover, diners, jcb, unionpay, rupay, upi, ach, unknown',
    ]);
  });

  it('refuses a category without defaults, and defaults of no category', () => {
    const { unknown: _, ...categories } = file().categories;
    expect(faults({ ...file(), categories })).to.deep.equal(['/categories/unknown is required']);
    const more = { ...file().categories, poor: { hardness: 'soft', retry: 'allowed' } };
    expect(faults({ ...file(), categories: more })).to.deep.equal(['/categories/poor is not a known field']);
  });

  it('refuses a cap on retries that is no number of them', () => {
    const { categories: all } = file();
    const categories = { ...all, unknown: { ...all.unknown, max_retries: -1 } };
    expect(faults({ ...file(), categories })).to.deep.equal(['/categories/unknown/max_retries must be >= 0']);
  });

  it('refuses a pattern that is no regular expression', () => {
    const messages = { source: 'own', patterns: [{ pattern: '(', category: 'unknown' }] };
    expect(faults({ ...file(), messages })[0]).to.match(
      /^\/messages\/patterns\/0\/pattern must be a regular/,
    );
  });

  it('refuses a pattern that matches every message', () => {
    for (const pattern of ['|', 'lost|', '.*'])
      expect(
        faults({ ...file(), messages: { source: 'own', patterns: [{ pattern, category: 'unknown' }] } }),
      ).to.deep.equal([
        '/messages/patterns/0/pattern must not match an empty text: it would match every message',
      ]);
  });

  it('refuses tables without groups, and a group that is there twice', () => {
    expect(faults({ ...file(), groups: [] })).to.deep.equal(['/groups must NOT have fewer than 1 items']);
    const one = group({ codes: ['b'], category: 'unknown' });
    const another = { ...group({ codes: ['c'], category: 'unknown' }), name: 'another' };
    const detail = 'must differ from /groups/0 in its name, and in what it says';
    expect(faults({ ...file(), groups: [one, another, { ...another, name: 'one' }] })).to.deep.equal([
      `/groups/2 ${detail}`,
    ]);
    expect(faults({ ...file(), groups: [one, { ...one, name: 'copy' }] })).to.deep.equal([
      `/groups/1 ${detail}`,
    ]);
  });

  it('refuses what is no table at all', () => {
    for (const json of [null, [], 'table', 1])
      expect(faults(json)).to.deep.equal([' must be of type object']);
    expect(faults({})).to.include.members([
      '/version is required',
      '/effective_from is required',
      '/groups is required',
    ]);
    expect(faults({ ...file(), effective_from: 'soon' })).to.deep.equal([
      '/effective_from must be a valid date-time',
    ]);
    expect(faults({ ...file(), version: 'a b' })[0]).to.match(/^\/version must be: letters, digits/);
  });

  it('lets the same code stand in one group under different conditions', () => {
    const when = { source: ['bank'] };
    expect(faults({ ...file(), groups: [group({ codes: ['a'], category: 'revoked', when })] })).to.deep.equal(
      [],
    );
  });
});

describe('tablesInForceOn', () => {
  it('answers with the version of that day, and with the first for every day before it', () => {
    const on = (at: string) => tablesInForceOn(at).version;
    expect(on('1999-01-01T00:00:00.000Z')).to.equal('2026-11-24');
    expect(on('2026-11-28T23:59:59.999Z')).to.equal('2026-11-24');
    expect(on('2026-11-29T00:00:00.000Z')).to.equal('2026-11-29');
    expect(on('2026-11-29T00:30:00+02:00')).to.equal('2026-11-24');
    expect(on('2400-01-01T00:00:00.000Z')).to.equal(allTables.at(-1)?.version);
  });

  it('knows each version by a name of its own, each later in force than the one before', () => {
    expect(new Set(allTables.map(({ version }) => version)).size).to.equal(allTables.length);
    const starts = allTables.map(({ effectiveMs }) => effectiveMs);
    expect(starts).to.deep.equal([...new Set(starts)].sort((a, b) => a - b));
    for (const tables of allTables) expect(tablesOfVersion(tables.version)).to.equal(tables);
    expect(tablesOfVersion('1970-01-01')).to.equal(undefined);
  });
});
