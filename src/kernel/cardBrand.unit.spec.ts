import { expect } from 'chai';
import { type CardBrand, cardBrandOf, cardBrands } from './cardBrand.js';

describe('cardBrandOf', () => {
  const said: Readonly<Record<CardBrand, readonly string[]>> = {
    visa: ['visa', 'Visa', 'VISA', 'Visa Electron', 'visa_debit'],
    mastercard: ['mastercard', 'MasterCard', 'Master Card', 'mc', 'MC', 'maestro'],
    amex: ['amex', 'AMEX', 'american_express', 'American Express'],
    discover: ['discover', 'Discover'],
    diners: ['diners', 'diners_club', 'Diners Club'],
    jcb: ['jcb', 'JCB'],
    unionpay: ['unionpay', 'UnionPay', 'China UnionPay'],
    rupay: ['rupay', 'RuPay'],
    upi: ['upi', 'UPI'],
    ach: ['ach', 'us_bank_account'],
    unknown: ['unknown', '', '?', 'elo', 'constructor', '__proto__', 'visa-mastercard'],
  };
  for (const brand of cardBrands)
    it(`knows ${brand} in all its words`, () => {
      for (const card_brand of said[brand]) expect(cardBrandOf({ card_brand }), card_brand).to.equal(brand);
    });

  it('does not guess', () => expect(cardBrandOf({})).to.equal('unknown'));
});
