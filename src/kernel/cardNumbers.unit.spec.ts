import { expect } from 'chai';
import fc from 'fast-check';
import { looksLikeCardNumber, maskCardNumbers, passesLuhn } from './cardNumbers.js';

const withCheckDigit = (digits: string): string =>
  digits + [...'0123456789'].find((digit) => passesLuhn(digits + digit));

const card = fc
  .stringMatching(/^[3-6][0-9]{11,17}$/)
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

  it('takes no UUID for a card', () => {
    fc.assert(fc.property(fc.uuid(), (id) => void expect(looksLikeCardNumber(`ref ${id}`)).to.equal(false)));
  });

  it('is done with long texts at once', () => {
    const started = performance.now();
    for (const text of [
      '1 '.repeat(100_000),
      '1'.repeat(250_000),
      '4-'.repeat(100_000),
      '+1'.repeat(100_000),
    ])
      looksLikeCardNumber(text);
    expect(performance.now() - started).to.be.below(2000);
  });
});
