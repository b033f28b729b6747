import { expect } from 'chai';
import { type Figure, figuresNow, figuresThen } from '../../../test/support/networkFigures.js';
import { type Limit, limitsOn, networkLimits, type NetworkLimits } from './networkLimits.js';

const figureOf = ({ hours, max, schemeMax, same }: Limit): Figure => ({
  days: hours / 24,
  scheme: schemeMax,
  ours: max,
  perAmount: same.includes('amount'),
  apart: same.includes('initiator'),
});

const figuresIn = ({ brands, others }: NetworkLimits) =>
  Object.fromEntries(
    Object.entries({ ...brands, others }).map(([brand, limits]) => [brand, limits.map(figureOf)]),
  );

describe('networkLimits', () => {
  const cases = [
    { when: 'before the oldest known date', on: '2020-05-05T00:00:00.000Z', version: 1 },
    { when: 'a millisecond before the newer', on: '2025-07-31T23:59:59.999Z', version: 1 },
    { when: 'on the day of the newer', on: '2025-08-01T00:00:00.000Z', version: 2 },
    { when: 'today', on: '2026-11-29T12:00:00.000Z', version: 2 },
  ];
  for (const { when, on, version } of cases)
    it(`${when}: version ${version}`, () => expect(limitsOn(on).version).to.equal(version));

  it('holds the figures of the networks, version by version', () => {
    expect(networkLimits.map(figuresIn)).to.deep.equal([figuresThen, figuresNow]);
  });

  it('allows at most 8 retries of a recovery', () => {
    expect(networkLimits.map(({ perCase }) => perCase)).to.deep.equal([8, 8]);
  });

  it('takes UPI debits before 10:00, from 13:00 to 17:00 and from 21:30 on, Indian time, since August 2025', () => {
    const at = (hour: number, minute = 0) => hour * 60 + minute;
    const open = [
      [0, at(10)],
      [at(13), at(17)],
      [at(21, 30), at(24)],
    ];
    const hours = networkLimits.map(({ openHours }) => openHours.upi);
    expect(hours[0]).to.equal(undefined);
    expect(hours[1]).to.deep.include({ timezone: 'Asia/Kolkata', open });
  });

  const rows = networkLimits.flatMap(({ version, brands, others }) =>
    Object.entries({ ...brands, others }).flatMap(([brand, limits]) =>
      limits.map((limit) => ({ version, brand, limit })),
    ),
  );
  for (const { version, brand, limit } of rows)
    it(`version ${version}, ${brand}, ${limit.name}: never beyond the network, and says by which document`, () => {
      expect(limit.max).to.be.within(1, limit.schemeMax);
      expect(limit.hours).to.be.greaterThan(0);
      expect(limit.source).to.match(/\S/);
    });

  it('is in order of its dates and numbered on', () => {
    const dates = networkLimits.map(({ effectiveFrom }) => Date.parse(effectiveFrom));
    expect(dates).to.deep.equal([...dates].sort((a, b) => a - b));
    expect(networkLimits.map(({ version }) => version)).to.deep.equal(networkLimits.map((_, n) => n + 1));
  });

  it('names every limit of a brand apart: the names are the counters of an explanation', () => {
    for (const { brands, others } of networkLimits)
      for (const limits of [...Object.values(brands), others])
        expect(new Set(limits.map(({ name }) => name)).size).to.equal(limits.length);
  });
});
