import { expect } from 'chai';
import fc from 'fast-check';
import { aCharge, external, reserved, settled } from '../../../test/support/credentialSamples.js';
import { countsWith, figuresOf } from '../../../test/support/networkFigures.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { stateOf } from '../../../test/support/spec.js';
import type { CredentialEvent } from '../../events/credential.js';
import { DAY, HOUR, plus } from '../../kernel/clock.js';
import { credentialDecider } from './decide.js';
import { type Charge, permitFor } from './ledger.js';
import { limitsOn } from './networkLimits.js';

interface Tried {
  /** Milliseconds from T0. */
  readonly at: number;
  readonly charge: Charge;
  readonly outcome: 'open' | 'declined' | 'unresolved' | 'succeeded' | 'not_made' | 'external';
}

const chargeOf = (brand: string): fc.Arbitrary<Charge> =>
  fc.record({
    amount: fc.constantFrom(4_900, 900),
    currency: fc.constant('EUR'),
    brand: fc.constant(brand),
    initiator: fc.constantFrom('merchant', 'merchant', 'customer'),
  });
/** Whole hours, so that many attempts share an instant, and a millisecond beside them. */
const timeOf = (from: number, to: number): fc.Arbitrary<number> =>
  fc
    .tuple(fc.integer({ min: from, max: to }), fc.constantFrom(-1, 0, 0, 1))
    .map(([hours, ms]) => hours * HOUR + ms);
const historyOf = (brand: string, newest: number): fc.Arbitrary<Tried[]> => {
  const outcome = fc.constantFrom(
    ...(['open', 'declined', 'declined', 'unresolved', 'succeeded', 'not_made', 'external'] as const),
  );
  const reach = fc.constantFrom(24, 72, 800, 4_400);
  return reach.chain((hours) =>
    fc.array(fc.record({ at: timeOf(-hours, newest), charge: chargeOf(brand), outcome }), {
      maxLength: 60,
      size: 'max',
    }),
  );
};
const brand = fc.constantFrom('visa', 'mastercard', 'amex', 'unknown', 'upi', 'ach');
const situation = (newest: number) =>
  brand.chain((name) => fc.tuple(historyOf(name, newest), chargeOf(name)));

const eventsOf = ({ at, charge, outcome }: Tried, n: number): CredentialEvent[] => {
  if (outcome === 'external') return [external(`t${n}`, plus(T0, at), charge)];
  const taken = reserved(n, plus(T0, at), charge);
  return outcome === 'open' ? [taken] : [taken, settled(n, outcome)];
};

/** Looks at every window that the charge would be in, one attempt after the other. */
const breaksLimit = (history: readonly Tried[], charge: Charge, at: number): boolean =>
  figuresOf(charge.brand).some((figure) => {
    const counted = history.filter(
      ({ outcome, charge: other }) =>
        outcome !== 'succeeded' && outcome !== 'not_made' && countsWith(figure, charge, other),
    );
    const times = [at, ...counted.map((tried) => tried.at)];
    return times
      .filter((end) => end >= at && end < at + figure.days * DAY)
      .some(
        (end) => times.filter((each) => each <= end && each > end - figure.days * DAY).length > figure.ours,
      );
  });

const permitted = (history: readonly Tried[], charge: Charge): number => {
  const inOrder = [...history].sort((a, b) => a.at - b.at);
  const permit = permitFor(
    stateOf(credentialDecider, ...inOrder.flatMap(eventsOf)),
    charge,
    T0,
    limitsOn(T0),
  );
  if ('refused' in permit) throw new Error(permit.refused);
  return Date.parse(permit.at) - Date.parse(T0);
};

/** Instants at which a window may have room that had none before. */
const chancesOf = (history: readonly Tried[], { brand: name }: Charge): readonly number[] => {
  const leaving = history.flatMap(({ at }) => figuresOf(name).map(({ days }) => at + days * DAY));
  return [0, ...leaving.filter((at) => at > 0)].sort((a, b) => a - b);
};

describe('property: when the next attempt is allowed', () => {
  it('is the first instant at which no window of any limit would hold too many', () => {
    fc.assert(
      fc.property(situation(-1), ([history, charge]) => {
        const first = chancesOf(history, charge).find((at) => !breaksLimit(history, charge, at));
        const at = permitted(history, charge);
        expect(at).to.equal(first);
        if (at > 0) expect(breaksLimit(history, charge, at - 1)).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never too early, though clocks ahead of ours told of attempts to come', () => {
    fc.assert(
      fc.property(situation(24), ([history, charge]) => {
        expect(breaksLimit(history, charge, permitted(history, charge))).to.equal(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('counts as an explanation tells it', () => {
    const history = [external('t1'), reserved(1), settled(1, 'succeeded'), reserved(2)];
    const permit = permitFor(stateOf(credentialDecider, ...history), aCharge(), T0, limitsOn(T0));
    expect(permit).to.deep.equal({ at: T0, used: { visa_30d: 2 } });
  });
});
