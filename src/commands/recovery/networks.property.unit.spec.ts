import { expect } from 'chai';
import { type Card } from '../../../test/support/cards/card.js';
import { historyOf } from '../../../test/support/cards/history.js';
import { Broken, Oracle } from '../../../test/support/cards/oracle.js';
import { assertValid } from '../../events/registry.js';
import { HOUR } from '../../kernel/clock.js';

const HISTORIES = 100_000;
/** Looked at event by event, which costs more than the rest. */
const VALIDATED = 500;

/** What has to have happened, so that it is sure that the limits were tried. */
const enough: Readonly<Record<string, number>> = {
  charged: 100_000,
  RetryDropped: 5_000,
  RetryOutcomeUnknown: 5_000,
  'asked again': 10_000,
  'looked up': 1_000,
  died: 10_000,
  RecoverySucceeded: 10_000,
  PspRetriesStopped: 1_000,
  RetryUnresolved: 0,
};

const told = ({ log, now }: Card): string =>
  [...log.map(({ stream, event: { type, data } }) => `${stream} ${type} ${JSON.stringify(data)}`), now].join(
    '\n',
  );

const validate = ({ log }: Card): void => {
  for (const { event } of log) assertValid(event.type, event.data);
};

describe('property: one card, several recoveries', () => {
  it('over 100,000 histories no charge and no schedule exceeds a limit or follows what forbids it', () => {
    const happened: Record<string, number> = {};
    for (let seed = 1; seed <= HISTORIES; seed++) {
      try {
        const card = historyOf(seed);
        if (seed <= VALIDATED) validate(card);
        for (const [what, count] of Object.entries(card.counts))
          happened[what] = (happened[what] ?? 0) + count;
      } catch (error) {
        throw new Error(`historyOf(${seed}): ${(error as Error).message}`, { cause: error });
      }
    }
    for (const [what, least] of Object.entries(enough))
      expect(happened[what] ?? 0, what).to.be.at.least(least);
  }).timeout(600_000);

  it('is the same story for the same seed', () => {
    for (const seed of [1, 2, 3]) expect(told(historyOf(seed))).to.equal(told(historyOf(seed)));
  });
});

describe('the judge of the histories', () => {
  const charge = { payment: 'p1', amount: 990, currency: 'EUR', initiator: 'merchant' } as const;
  const soft = { failure: {}, means: 'soft' } as const;
  const noon = Date.parse('2027-03-01T12:00:00.000Z');
  const judge = (brand = 'visa', country?: string) => new Oracle(brand, country);
  const asked =
    (oracle: Oracle, at = noon) =>
    () =>
      oracle.charges(charge, at, true, oracle.knowledge);

  it('knows what is too many', () => {
    const oracle = judge();
    for (let n = 0; n < 15; n++) oracle.toldOf({ ...charge, payment: 'other' }, noon - HOUR, soft);
    expect(asked(oracle)).to.throw(Broken, 'more than 15 in 30 days');
    expect(asked(oracle, noon - HOUR + 30 * 24 * HOUR)).not.to.throw();
  });

  it('knows what forbids a charge', () => {
    for (const [means, why] of [
      ['dead', 'hard decline'],
      ['change', 'before anything changed'],
    ] as const) {
      const oracle = judge();
      oracle.learns('p1', noon, { failure: {}, means });
      expect(asked(oracle)).to.throw(Broken, why);
    }
    const late = judge();
    late.learns('p1', noon, { failure: {}, means: 'change' });
    late.learns('p1', noon - HOUR, soft);
    expect(asked(late)).to.throw(Broken, 'before anything changed');
    late.learns('p1', noon, soft);
    expect(asked(late)).not.to.throw();
    const waiting = judge();
    waiting.learns('p2', noon - HOUR, { failure: {}, means: 'soft', wait: HOUR + 1 });
    expect(asked(waiting)).to.throw(Broken, 'wait');
    expect(asked(waiting, noon + 1)).not.to.throw();
    const paid = judge();
    paid.paid('p1');
    expect(asked(paid)).to.throw(Broken, 'success');
    expect(asked(judge('visa', 'IN'))).to.throw(Broken, 'India');
    expect(asked(judge('upi', 'IN'), noon + 2 * HOUR)).to.throw(Broken, 'UPI');
    expect(asked(judge('upi', 'IN'), noon + 4 * HOUR + 1)).not.to.throw();
  });
});
