import { expect } from 'chai';
import { instant } from './fold.js';

describe('instant of a fact', () => {
  it('is UTC with milliseconds', () => {
    expect(instant('2026-03-01T10:00:00+01:00')).to.equal('2026-03-01T09:00:00.000Z');
    expect(instant('2026-03-01T10:00:00.000Z')).to.equal('2026-03-01T10:00:00.000Z');
  });

  it('is the nearest one that a table can hold, whatever the fact says', () => {
    for (const [said, shown] of [
      ['0001-01-01T00:00:00+01:00', '0001-01-01T00:00:00.000Z'],
      ['0000-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
      ['9999-12-31T23:59:59-01:00', '9999-12-31T23:59:59.999Z'],
      ['+010000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
      ['2016-12-31T23:59:60Z', '0001-01-01T00:00:00.000Z'],
    ] as const)
      expect(instant(said)).to.equal(shown);
  });
});
