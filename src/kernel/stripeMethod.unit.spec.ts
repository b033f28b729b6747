import { expect } from 'chai';
import { brandOfMethod, instrumentOf } from './stripeMethod.js';

describe("Stripe's payment methods", () => {
  const brands: readonly [object, string | undefined][] = [
    [{ type: 'card', card: { brand: 'visa' } }, 'visa'],
    [{ card: { brand: 'visa' } }, 'visa'],
    [{ type: 'card_present', card_present: { brand: 'mastercard' } }, 'mastercard'],
    [{ type: 'us_bank_account', us_bank_account: { last4: '6789' } }, 'ach'],
    [{ type: 'ach_debit', ach_debit: {} }, 'ach'],
    [{ type: 'upi', upi: { vpa: null } }, 'upi'],
    [{ type: 'sepa_debit', sepa_debit: { last4: '3000' } }, undefined],
    [{ type: 'card' }, undefined],
    [{ type: 7, card: { brand: 7 } }, undefined],
  ];
  for (const [method, brand] of brands)
    it(`have the brand ${brand} where they are ${JSON.stringify(method)}`, () =>
      expect(brandOfMethod(method)).to.equal(brand));

  it('are told apart by what is named like their type', () => {
    const bank = { fingerprint: 'ba_fp' };
    expect(instrumentOf({ type: 'sepa_debit', sepa_debit: bank, card: {} })).to.equal(bank);
    for (const none of [undefined, null, 'pm_1', { type: 'link', link: null }, { type: 'type' }])
      expect(instrumentOf(none)).to.equal(undefined);
  });
});
