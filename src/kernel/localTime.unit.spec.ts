import { expect } from 'chai';
import fc from 'fast-check';
import { DAY, MINUTE, plus } from './clock.js';
import { nextMonthDay, nextWithin, nextWithinAll, type Span, spansOf } from './localTime.js';

const BERLIN = 'Europe/Berlin';
const DAYTIME = spansOf(9, 20);
const NIGHT = spansOf(21, 8);

/** By another road than the code: what Intl writes. */
const clockIn = (zone: string, at: string): { day: number; minute: number } => {
  const text = new Date(at).toLocaleString('sv-SE', { timeZone: zone });
  const [, day = '', hour = '', minute = ''] = /-(\d\d) (\d\d):(\d\d)/.exec(text) ?? [];
  return { day: Number(day), minute: Number(hour) * 60 + Number(minute) };
};

describe('local time', () => {
  it('leaves what is within the hours as it is', () =>
    expect(nextWithin('2026-03-02T10:00:00.000Z', BERLIN, DAYTIME)).to.equal('2026-03-02T10:00:00.000Z'));

  it('moves the night to the morning, in summer time too', () => {
    expect(nextWithin('2026-03-02T22:00:00.000Z', BERLIN, DAYTIME)).to.equal('2026-03-03T08:00:00.000Z');
    expect(nextWithin('2026-07-02T22:00:00.000Z', BERLIN, DAYTIME)).to.equal('2026-07-03T07:00:00.000Z');
    expect(nextWithin('2026-07-02T03:00:00.000Z', BERLIN, DAYTIME)).to.equal('2026-07-02T07:00:00.000Z');
  });

  it('knows periods over midnight, and zones off the hour', () => {
    expect(nextWithin('2026-03-02T12:00:00.000Z', BERLIN, NIGHT)).to.equal('2026-03-02T20:00:00.000Z');
    expect(nextWithin('2026-03-02T00:00:00.000Z', 'Asia/Kolkata', DAYTIME)).to.equal(
      '2026-03-02T03:30:00.000Z',
    );
  });

  it('spreads over the first hour, and no further than a short span', () => {
    const at = '2026-03-02T22:00:00.000Z';
    const next = (spans: readonly Span[]) => nextWithinAll(at, [{ zone: 'UTC', spans }], 0.5);
    expect(next(DAYTIME)).to.equal('2026-03-03T09:30:00.000Z');
    expect(next([[540, 550]])).to.equal('2026-03-03T09:07:30.000Z');
  });

  it('meets the hours of two clocks, or none where they never do', () => {
    const india = { zone: 'Asia/Kolkata', spans: [[780, 1020] as const, [1290, 1440] as const] };
    const next = (from: number, to: number) =>
      nextWithinAll('2026-03-02T00:00:00.000Z', [{ zone: BERLIN, spans: spansOf(from, to) }, india], 0.9);
    expect(next(8, 12)).to.equal('2026-03-02T08:24:00.000Z');
    expect(next(17, 22)).to.equal('2026-03-02T16:54:00.000Z');
    expect(next(16, 18)).to.equal('2026-03-02T16:54:00.000Z');
    expect(next(12, 13), 'half an hour is left, from 11:00Z to 11:30Z').to.equal('2026-03-02T11:27:00.000Z');
    expect(next(13, 16), 'open from 7:30Z to 11:30Z and from 16:00Z to 18:30Z').to.equal(undefined);
  });

  it('begins what a clock change skips after it, west and east of Greenwich', () => {
    expect(nextWithin('2027-03-14T05:30:00.000Z', 'America/New_York', spansOf(2, 5))).to.equal(
      '2027-03-14T07:00:00.000Z',
    );
    expect(nextWithin('2026-03-28T22:00:00.000Z', BERLIN, spansOf(2, 5))).to.equal(
      '2026-03-29T01:00:00.000Z',
    );
    expect(nextMonthDay('2026-09-03T04:30:00.000Z', 'America/Santiago', [6], 4)).to.equal(
      '2026-09-06T04:30:00.000Z',
    );
  });

  it('takes the first of two where a clock shows an hour twice', () =>
    expect(nextWithin('2026-10-31T12:00:00.000Z', 'America/New_York', spansOf(1, 3))).to.equal(
      '2026-11-01T05:00:00.000Z',
    ));

  it('finds a day of the month, and takes the last for one that it lacks', () => {
    expect(nextMonthDay('2026-03-28T10:00:00.000Z', BERLIN, [1, 15], 4)).to.equal('2026-04-01T09:00:00.000Z');
    expect(nextMonthDay('2026-03-10T10:00:00.000Z', BERLIN, [1, 15], 4)).to.equal(undefined);
    expect(nextMonthDay('2026-03-15T10:00:00.000Z', BERLIN, [1, 15], 4)).to.equal('2026-03-15T10:00:00.000Z');
    expect(nextMonthDay('2026-02-26T10:00:00.000Z', 'UTC', [31], 4)).to.equal('2026-02-28T10:00:00.000Z');
  });

  it('takes a zone that Node does not know for UTC', () =>
    expect(nextWithin('2026-03-02T22:00:00.000Z', 'Mars/Olympus', DAYTIME)).to.equal(
      '2026-03-03T09:00:00.000Z',
    ));

  const zone = fc.constantFrom(
    'UTC',
    BERLIN,
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  );
  const instant = fc
    .date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const span = fc
    .tuple(fc.integer({ min: 0, max: 22 }), fc.integer({ min: 1, max: 24 }))
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => spansOf(from, to));

  it('property: the local clock is within the hours, at most a day and a clock change later, and at once where it was', () =>
    fc.assert(
      fc.property(instant, zone, span, (at, where, spans) => {
        const next = nextWithin(at, where, spans);
        const inSpans = (minute: number) => spans.some(([from, to]: Span) => minute >= from && minute < to);
        if (inSpans(clockIn(where, at).minute)) expect(next).to.equal(at);
        else expect(Date.parse(next)).to.be.above(Date.parse(at));
        expect(Date.parse(next) - Date.parse(at)).to.be.at.most(DAY + 120 * MINUTE);
        // A span that a clock change skips begins after it.
        const { minute } = clockIn(where, next);
        expect([0, 30, 60].some((skipped) => inSpans(minute - skipped))).to.equal(true);
      }),
    ));

  it('property: what is found is within all hours, and where nothing is found no quarter of an hour of two days is', () =>
    fc.assert(
      fc.property(
        instant,
        fc.array(fc.record({ zone, spans: span }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (at, all, spread) => {
          const isOpen = (time: string) =>
            all.every(({ zone, spans }) => nextWithin(time, zone, spans) === time);
          const found = nextWithinAll(at, all, spread);
          const quarters = Array.from({ length: 192 }, (_, n) => plus(at, n * 15 * MINUTE));
          const first = quarters.find(isOpen);
          if (found === undefined) expect(first).to.equal(undefined);
          else expect([found >= at, isOpen(found)]).to.deep.equal([true, true]);
          if (first !== undefined)
            expect(Date.parse(found ?? '')).to.be.at.most(Date.parse(first) + 60 * MINUTE);
        },
      ),
    ));

  it('property: a day of the month is met within the days allowed', () =>
    fc.assert(
      fc.property(instant, zone, fc.integer({ min: 1, max: 28 }), (at, where, day) => {
        const found = nextMonthDay(at, where, [day], 31);
        if (found === undefined) throw new Error('every day comes within a month');
        expect(clockIn(where, found).day).to.equal(day);
        expect(Date.parse(found))
          .to.be.at.least(Date.parse(at))
          .and.at.most(Date.parse(plus(at, 32 * DAY)));
      }),
    ));
});
