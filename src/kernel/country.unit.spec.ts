import { expect } from 'chai';
import { countryNamed } from './country.js';

describe('countryNamed', () => {
  it('knows the countries there are', () => {
    for (const country of ['DE', 'GB', 'IN', 'US', 'TW', 'XK'])
      expect(countryNamed(country)).to.equal(country);
  });
  it('knows what others have become', () => {
    expect(countryNamed('UK')).to.equal('GB');
    expect(countryNamed('DD')).to.equal('DE');
  });
  it('knows none besides', () => {
    for (const none of ['ZZ', 'XX', 'AA', 'XA', 'QX']) expect(countryNamed(none), none).to.equal(undefined);
  });
});
