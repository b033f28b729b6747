import { expect } from 'chai';
import { currencyExponent, formatMoney } from './money.js';

describe('money', () => {
  it('writes each currency with its own decimals', () => {
    expect(formatMoney(1050, 'EUR')).to.equal('€10.50');
    expect(formatMoney(1050, 'JPY')).to.equal('¥1,050');
    expect(formatMoney(1050, 'KWD')).to.match(/^KWD\s1\.050$/);
    expect(formatMoney(999_999_999_999, 'USD')).to.equal('$9,999,999,999.99');
  });

  it('goes by ISO 4217 where Intl goes by everyday use', () => {
    expect(formatMoney(100_000, 'HUF')).to.match(/^HUF\s1,000\.00$/);
    expect(currencyExponent('IQD')).to.equal(3);
    expect(currencyExponent('constructor')).to.equal(2);
  });

  it('follows the locale, and survives a bad one', () => {
    expect(formatMoney(123_456, 'EUR', 'de')).to.match(/^1\.234,56\s€$/);
    expect(formatMoney(1050, 'EUR', 'not a locale')).to.equal('€10.50');
  });
});
