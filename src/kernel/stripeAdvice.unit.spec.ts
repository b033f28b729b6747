import { expect } from 'chai';
import { strictestAdvice } from './stripeAdvice.js';

describe('strictestAdvice', () => {
  const cases: readonly [string | undefined, string | undefined, string | undefined, string | undefined][] = [
    [undefined, undefined, 'visa', undefined],
    ['try_again_later', undefined, 'mastercard', 'try_again_later'],
    [undefined, '03', 'visa', '03'],
    ['try_again_later', '24', 'mastercard', '24'],
    ['try_again_later', '24', undefined, '24'],
    ['do_not_try_again', '02', 'mastercard', 'do_not_try_again'],
    ['do_not_try_again', '21', 'MasterCard', '21'],
    ['do_not_try_again', '21', 'visa', 'do_not_try_again'],
    ['confirm_card_data', '24', 'mastercard', 'confirm_card_data'],
    ['confirm_card_data', '01', 'mastercard', '01'],
    ['confirm_card_data', '03', 'mastercard', '03'],
    ['confirm_card_data', '03', 'amex', 'confirm_card_data'],
    ['try_again_later', '41', 'mc', '41'],
  ];
  for (const [own, network, brand, kept] of cases)
    it(`of ${own} and ${network} for ${brand} keeps ${kept}`, () =>
      expect(strictestAdvice(own, network, brand)).to.equal(kept));
});
