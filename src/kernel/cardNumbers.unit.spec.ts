import { expect } from 'chai';
import fc from 'fast-check';
import { looksLikeCardNumber, maskCardNumbers, passesLuhn } from './cardNumbers.js';

const withCheckDigit = (digits: string): string =>
  digits + [...'0123456789'].find((digit) => passesLuhn(digits + digit));

const card = fc
  .stringMatching(/^(3[04-9][0-9]{11,16}|[4-6][0-9]{11,17}|22[3-9][0-9]{12})$/)
  .map(withCheckDigit)
  .filter((digits) => digits.length <= 19);

describe('card numbers', () => {
  const cards = [
    '4111111111111111',
    '4242 4242 4242 4242',
    '3782-822463-10005',
    '6011 1111 1111 1117',
    '4222222222222',
    '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
    'card:4111111111111111.',
    'x4111111111111111x',
    'order 12 4111 1111 1111 1111 13',
    '4111–1111–1111–1111',
    '４１１１１１１１１１１１１１１１',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111111111111111 12/26 123',
    '4111111111111111 12',
    '12 4111111111111111',
    '2026-11-23 4111111111111111',
    '4111111111111111-737',
    '4111111111111111 5555555555554444',
    '4111 1111 1111 1111 5555 5555 5555 4444',
    '4111.1111.1111.1111',
    '4111_1111_1111_1111',
    '4111/1111/1111/1111',
    '4111, 1111, 1111, 1111',
    '4111\u200b1111\u200b1111\u200b1111',
    '4111    1111    1111    1111',
    '+378282246310005',
    '+4242424242424242',
    '4111111111111111deadbeef',
    '٤١١١١١١١١١١١١١١١',
    '2223003122003222',
  ];
  for (const text of cards) it(`sees one in ${text}`, () => expect(looksLikeCardNumber(text)).to.equal(true));

  const others = [
    '',
    '4111111111111112',
    '123456789012',
    '41111111111111111111111111',
    '0000000000000000',
    '2026-11-23T10:00:00.000Z',
    '4f3b1111-1111-4111-8111-111111111111',
    '12345678-1234-1234-1234-123456789014',
    'a'.repeat(8) + '4111111111111111' + 'b'.repeat(8),
    '+4915112345678',
    'pi_3N8example',
  ];
  for (const text of others)
    it(`sees none in "${text}"`, () => expect(looksLikeCardNumber(text)).to.equal(false));

  it('sees any of 13 to 19 digits, however it is grouped', () => {
    const separator = fc.constantFrom('', ' ', '-', ' - ');
    fc.assert(
      fc.property(card, separator, fc.integer({ min: 1, max: 6 }), (digits, between, size) => {
        const grouped = digits.match(new RegExp(`.{1,${size}}`, 'g'))?.join(between) ?? '';
        expect(looksLikeCardNumber(`paid with ${grouped} today`)).to.equal(true);
        expect(maskCardNumbers(`paid with ${grouped} today`)).to.equal('paid with [card number] today');
      }),
    );
  });

  it('masks every one of several, and nothing else', () => {
    const text = 'a 4111111111111111 12/01, ٤١١١١١١١١١١١١١١١ and 2026-11-23 5555555555554444.';
    expect(maskCardNumbers(text)).to.equal(
      'a [card number] 12/01, [card number] and 2026-11-23 [card number].',
    );
    const plain = 'ünïcode ٤١ order 12345';
    expect(maskCardNumbers(plain)).to.equal(plain);
  });

  it('sees none in instants, dates, references and counts', () => {
    const number = (digits: number) =>
      fc.nat(10 ** digits - 1).map((value) => String(value).padStart(digits, '0'));
    const time = fc
      .date({ min: new Date('2000-01-01'), max: new Date('2060-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString());
    const texts = fc.oneof(
      time,
      time.map((iso) => iso.slice(0, 19).replace('T', ' ')),
      fc.tuple(time, time).map(([a, b]) => `${a.slice(0, 10)} to ${b.slice(0, 10)}`),
      time.map((iso) => String(Date.parse(iso))),
      number(6).map((order) => `INV-2026-${order}`),
      number(12),
      fc.tuple(number(4), number(8)).map(([a, b]) => `${a}/${b}`),
      fc.ipV4(),
    );
    fc.assert(
      fc.property(texts, (text) => void expect(looksLikeCardNumber(text), text).to.equal(false)),
      { numRuns: 2000 },
    );
  });

  it('takes no UUID for a card', () => {
    fc.assert(fc.property(fc.uuid(), (id) => void expect(looksLikeCardNumber(`ref ${id}`)).to.equal(false)));
  });

  it('is done with long texts in linear time', () => {
    for (const text of [
      '1 '.repeat(100_000),
      '1'.repeat(250_000),
      '4-'.repeat(100_000),
      '+1'.repeat(100_000),
    ])
      maskCardNumbers(text);
  });
});
