import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Listed, listing } from '../../../../test/support/declines/listing.js';
import type { Classification } from '../../../events/recovery.js';
import { type CardBrand, cardBrands } from '../../../kernel/cardBrand.js';
import { HOUR, plus } from '../../../kernel/clock.js';
import type { Failure } from '../../../kernel/ports.js';
import { classify } from './classify.js';
import { type Tables } from './compileTables.js';
import { type CodeField } from './tableFile.js';
import { tablesOfVersion } from './tables.js';

const AT = '2026-12-01T10:00:00.000Z';
const versioned = (version: string): Tables => tablesOfVersion(version) ?? expect.fail(version);
const perNetwork = versioned('2026-11-29');

const sample = (code: string): string => code.replace(/^\*|\*$/, 'upi');
const branded = (brand: CardBrand) => (brand === 'unknown' ? {} : { card_brand: brand });

describe('the decline tables of 2026-11-29', () => {
  const said = ({ field, brand, code, source, step }: Listed): string =>
    [field, brand, code, source ?? step ?? ''].join(' ');

  it('are listed once each', () => expect(new Set(listing.map(said)).size).to.equal(listing.length));

  const nameOf = ({ field, brand }: Listed): string => `${field} of ${brand}`;
  for (const name of new Set(listing.map(nameOf)))
    it(`read every ${name} as it is listed`, () => {
      for (const listed of listing.filter((each) => nameOf(each) === name)) {
        const { field, brand, code, category, retry, hours, source, step } = listed;
        const failure = {
          [field]: sample(code),
          ...branded(brand),
          ...(source !== undefined && { source }),
          ...(step !== undefined && { step }),
        };
        const seen = classify(failure, AT, perNetwork);
        const expected = [category, retry, hours === undefined ? undefined : plus(AT, hours * HOUR)];
        expect([seen.category, seen.retry, seen.earliest_at], said(listed)).to.deep.equal(expected);
        expect(seen.evidence.unmapped, said(listed)).to.equal(undefined);
      }
    });

  it('say after which categories fewer retries are made than the policy allows', () => {
    const caps = { issuer_risk: 1, unknown: 2 };
    expect(perNetwork.retryCaps).to.deep.equal(caps);
    expect(perNetwork.file.categories.issuer_risk.max_retries).to.equal(1);
  });

  it('hold no row that is not listed', () => {
    const listed = new Set(listing.map(({ field, brand, code }) => `${field} ${brand} ${code}`));
    const conditional = new Set(
      listing.filter(({ source, step }) => source ?? step).map(({ field, code }) => `${field} ${code}`),
    );
    const unlisted = perNetwork.file.groups.flatMap(({ fields, brands = cardBrands, rows }) =>
      rows.flatMap(({ codes, when }) =>
        codes.flatMap((code) =>
          fields.flatMap((field) => [
            ...brands.map((brand) => `${field} ${brand} ${code}`).filter((each) => !listed.has(each)),
            ...(when === undefined || conditional.has(`${field} ${code}`) ? [] : [`${field} ${code} when`]),
          ]),
        ),
      ),
    );
    expect(unlisted).to.deep.equal([]);
  });

  it('know every error code that Stripe names for a payment', () => {
    const types = new URL(
      '../../../../node_modules/stripe/esm/resources/PaymentIntents.d.ts',
      import.meta.url,
    );
    const [, union = ''] =
      /type Code = ('account_closed'.+) \| OtherString/.exec(readFileSync(types, 'utf8')) ?? [];
    const codes = union.split(' | ').map((each) => each.slice(1, -1));
    expect(codes).to.have.length.above(200);
    const unread = codes.filter((code) => classify({ code }, AT, perNetwork).evidence.unmapped !== undefined);
    expect(unread).to.deep.equal([]);
  });

  it('leave the two characters of another network unread', () => {
    const unread = (failure: Failure) => classify(failure, AT, perNetwork).evidence.unmapped;
    expect(unread({ network_code: '79', card_brand: 'visa' })).to.deep.equal(['network_code:79']);
    expect(unread({ network_code: '82', card_brand: 'amex' })).to.deep.equal(['network_code:82']);
    expect(unread({ advice_code: '03', card_brand: 'Visa' })).to.deep.equal(['advice_code:03']);
  });
});

describe('the decline tables of 2026-11-24', () => {
  const golden = JSON.parse(
    readFileSync(new URL('../../../../test/support/declines/tables20261124.json', import.meta.url), 'utf8'),
  ) as {
    readonly alone: Readonly<Record<CodeField, Readonly<Record<string, string>>>>;
    readonly messages: Readonly<Record<string, string>>;
    readonly pairs: Readonly<Record<string, string>>;
  };
  const tables = versioned('2026-11-24');
  const waited = ({ earliest_at }: Classification): string =>
    earliest_at === undefined ? '-' : `${(Date.parse(earliest_at) - Date.parse(AT)) / HOUR}h`;
  const line = (failure: Failure): string => {
    const seen = classify(failure, AT, tables);
    const { category, hardness, retry, evidence } = seen;
    return [category, hardness, retry, waited(seen), evidence.step, evidence.value ?? '-'].join(' ');
  };

  for (const [field, codes] of Object.entries(golden.alone))
    it(`read every ${field} as the code before them did`, () => {
      for (const [code, seen] of Object.entries(codes))
        for (const brand of cardBrands)
          expect(line({ [field]: code, ...branded(brand) }), code).to.equal(`${seen} ${code}`);
    });

  it('hold the codes that the code before them had, and no other', () => {
    const held = new Set<string>();
    for (const { fields, rows } of tables.file.groups)
      for (const field of fields)
        for (const { codes } of rows) for (const code of codes) held.add(`${field} ${code}`);
    const had = Object.entries(golden.alone).flatMap(([field, codes]) =>
      Object.keys(codes).map((code) => `${field} ${code}`),
    );
    expect([...held]).to.have.members(had);
  });

  it('read messages alike', () => {
    for (const [message, seen] of Object.entries(golden.messages))
      expect(line({ message }), message).to.equal(seen);
  });

  for (const [fields, digest] of Object.entries(golden.pairs))
    it(`read every pair of ${fields} alike`, () => {
      const [one = 'code', other = 'code'] = fields.split(' ') as CodeField[];
      const hash = createHash('sha256');
      const codesOf = (field: CodeField): string[] => Object.keys(golden.alone[field]).sort();
      for (const x of codesOf(one))
        for (const y of codesOf(other))
          hash.update(`${line({ [one]: x, [other]: y, card_brand: 'visa', message: 'lost card' })}\n`);
      expect(hash.digest('hex')).to.equal(digest);
    });
});
