import { expect } from 'chai';
import {
  aCharge,
  allowed,
  external,
  recoveryNo,
  reserve,
  reserved,
  settled,
} from '../../../test/support/credentialSamples.js';
import { T0 } from '../../../test/support/recoverySamples.js';
import { given, stateOf } from '../../../test/support/spec.js';
import type { AttemptOutcome, CredentialEvent } from '../../events/credential.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { type CredentialCommand, credentialDecider, isDeclined, isReserved, type Verdict } from './decide.js';
import { MAX_ENTRIES, permitFor } from './ledger.js';

const on = (...history: CredentialEvent[]) => given(credentialDecider, ...history);
const times = (count: number, event: (n: number) => CredentialEvent) =>
  Array.from({ length: count }, (_, n) => event(n + 1));
const settle = (n: number, outcome: AttemptOutcome, verdict?: Verdict): CredentialCommand => ({
  type: 'SettleAttempt',
  data: { recoveryId: recoveryNo(n), attempt: 1, outcome, ...(verdict && { verdict }), now: T0 },
});
const record = (triggerId: string, verdict = allowed): CredentialCommand => ({
  type: 'RecordExternalAttempt',
  data: { triggerId, charge: aCharge(), verdict, at: T0 },
});

describe('a slot', () => {
  it('is taken under the limits of the day', () => on().when(reserve(1)).then(reserved(1)));

  it('is taken once for the same attempt at the same time', () =>
    on(reserved(1)).when(reserve(1)).thenNothing());

  it('is not taken again for an attempt that is settled', () =>
    on(reserved(1), settled(1, 'declined', { retry: 'allowed' }))
      .when(reserve(1, plus(T0, HOUR)))
      .thenNothing());

  it('is taken anew by an attempt that was not made when it should have been', () =>
    on(reserved(1))
      .when(reserve(1, plus(T0, HOUR)))
      .then(reserved(1, plus(T0, HOUR))));

  it('counts once for an attempt that took it twice', () => {
    const later = plus(T0, MINUTE);
    on(...times(14, (n) => reserved(n)), reserved(1, later))
      .when(reserve(15, later))
      .then(reserved(15, later));
  });

  it('stays as it is for a worker whose clock is behind', () =>
    on(reserved(1, plus(T0, MINUTE)))
      .when(reserve(1))
      .thenNothing());

  it('is not taken anew where the others have used the limit up meanwhile', () => {
    const others = times(15, (n) => external(`t${n}`, plus(T0, DAY)));
    on(reserved(1), ...others)
      .when(reserve(1, plus(T0, 2 * DAY)))
      .thenNothing();
  });

  it('is not taken by one more than the limit, though they all ask at once', () =>
    on(...times(15, (n) => reserved(n)))
      .when(reserve(16))
      .thenNothing());

  for (const outcome of ['succeeded', 'not_made'] as const)
    it(`is free again once the attempt ${outcome === 'succeeded' ? 'succeeded' : 'was not made'}`, () =>
      on(...times(15, (n) => reserved(n)), settled(7, outcome))
        .when(reserve(16))
        .then(reserved(16)));

  it('can be taken again by an attempt that was not made', () =>
    on(reserved(1), settled(1, 'not_made')).when(reserve(1)).then(reserved(1)));

  it('is given back only as it was taken', () => {
    const later = plus(T0, MINUTE);
    const giveBack = (reservedAt: string): CredentialCommand => ({
      type: 'SettleAttempt',
      data: { recoveryId: recoveryNo(1), attempt: 1, outcome: 'not_made', reservedAt, now: T0 },
    });
    on(reserved(1)).when(giveBack(T0)).then(settled(1, 'not_made'));
    on(reserved(1), reserved(1, later)).when(giveBack(T0)).thenNothing();
  });

  for (const outcome of ['declined', 'unresolved'] as const)
    it(`stays taken by an attempt that is ${outcome}`, () =>
      on(...times(15, (n) => reserved(n)), settled(7, outcome))
        .when(reserve(16))
        .thenNothing());

  it('is taken in the hours of the scheme only', () => {
    const upi = aCharge({ brand: 'upi' });
    const at = (time: string) => `2026-03-01T${time}:00.000Z`;
    for (const closed of ['04:30', '07:29', '11:30', '15:59'])
      on()
        .when(reserve(1, at(closed), upi))
        .thenNothing();
    for (const open of ['04:29', '07:30', '11:29', '16:00'])
      on()
        .when(reserve(1, at(open), upi))
        .then(reserved(1, at(open), upi));
  });

  it('is free when the oldest attempt leaves the window, to the millisecond', () => {
    const history = times(15, (n) => reserved(n, plus(T0, (n - 1) * HOUR)));
    on(...history)
      .when(reserve(16, plus(T0, 30 * DAY - 1)))
      .thenNothing();
    on(...history)
      .when(reserve(16, plus(T0, 30 * DAY)))
      .then(reserved(16, plus(T0, 30 * DAY)));
  });
});

describe('whether an attempt holds its slot', () => {
  const holds = (at: string, ...history: CredentialEvent[]) =>
    isReserved(stateOf(credentialDecider, ...history), reserve(1, at).data);

  it('as of when it took it, not later', () => {
    expect(holds(T0)).to.equal(false);
    expect(holds(T0, reserved(1))).to.equal(true);
    expect(holds(plus(T0, 1), reserved(1))).to.equal(false);
    expect(holds(T0, reserved(1), settled(1, 'declined'))).to.equal(false);
  });

  it('not once a decline forbids it, nor before the network wants it', () => {
    expect(holds(T0, reserved(1), external('t1', T0, { verdict: { retry: 'never' } }))).to.equal(false);
    const until = (earliest_at: string) =>
      holds(T0, reserved(1), external('t1', T0, { verdict: { retry: 'allowed', earliest_at } }));
    expect(until(plus(T0, 1))).to.equal(false);
    expect(until(T0)).to.equal(true);
  });

  it('not once others have used the limit up, of whom we were told since', () => {
    const others = (count: number) => times(count, (n) => external(`t${n}`));
    expect(holds(T0, reserved(1), ...others(14))).to.equal(true);
    expect(holds(T0, reserved(1), ...others(15))).to.equal(false);
  });
});

describe('whether the answer to an attempt was a decline', () => {
  const attempt = { recoveryId: recoveryNo(1), attempt: 1 };
  const cases: readonly [AttemptOutcome | undefined, boolean][] = [
    [undefined, false],
    ['declined', true],
    ['succeeded', false],
    ['not_made', false],
  ];
  for (const [outcome, expected] of cases)
    it(`${outcome ?? 'open'}: ${expected}`, () => {
      const history = [reserved(1), ...(outcome === undefined ? [] : [settled(1, outcome)])];
      expect(isDeclined(stateOf(credentialDecider, ...history), attempt)).to.equal(expected);
    });
});

describe('a name of a thousand attempts', () => {
  const KEPT = 200 * DAY;
  const others = (count: number) => times(count, (n) => external(`t${n}`));
  const full = [reserved(1), ...others(MAX_ENTRIES - 1)];
  const permit = (history: CredentialEvent[], at: string) =>
    permitFor(stateOf(credentialDecider, ...history), aCharge({ amount: 1 }), at, reserve(1, at).data.limits);
  const isCharged = (history: CredentialEvent[], at: string) =>
    isReserved(stateOf(credentialDecider, ...history, reserved(2, at, { amount: 1 })), {
      ...reserve(2, at).data,
      charge: aCharge({ amount: 1 }),
    });

  it('is charged no more: it is a word for many, or a card under attack', () => {
    expect(permit(full.slice(1), T0)).to.deep.equal({ at: T0, used: { visa_30d: 0 } });
    expect(permit(full, T0)).to.have.property('refused').that.includes('under attack');
    on(...full)
      .when(reserve(2, T0, aCharge({ amount: 1 })))
      .thenNothing();
    expect(isCharged(full.slice(1), T0)).to.equal(true);
    expect(isCharged(full, T0)).to.equal(false);
  });

  it('is charged again once no attempt was told for 200 days', () => {
    expect(permit(full, plus(T0, KEPT - 1))).to.have.property('refused');
    expect(permit(full, plus(T0, KEPT))).to.have.property('at');
    const since = [...full, external('since', plus(T0, 150 * DAY))];
    expect(permit(since, plus(T0, KEPT))).to.have.property('refused');
    expect(permit(since, plus(T0, 150 * DAY + KEPT))).to.have.property('at');
  });

  it('is written of once a day, so that it is known to be in use', () => {
    const told = (after: number): CredentialCommand => ({
      type: 'RecordExternalAttempt',
      data: { triggerId: 'next', charge: aCharge(), verdict: allowed, at: plus(T0, after) },
    });
    on(...full)
      .when(told(DAY - 1))
      .thenNothing();
    on(...full)
      .when(told(DAY))
      .then(external('next', plus(T0, DAY)));
    on(...full, external('next', plus(T0, DAY)))
      .when(told(DAY + 1))
      .thenNothing();
  });

  it('is banned by a decline that forbids any other, once', () => {
    const verdict: Verdict = { retry: 'never' };
    on(...full)
      .when(record('stolen', verdict))
      .then(external('stolen', T0, { verdict }));
    on(...full, external('stolen', T0, { verdict }))
      .when(record('again', verdict))
      .thenNothing();
    const banned = [external('stolen', T0, { verdict }), ...full];
    expect(permit(banned, plus(T0, KEPT)))
      .to.have.property('refused')
      .that.includes('forbids');
  });

  it('takes the outcome of what was begun before', () =>
    on(...full)
      .when(settle(1, 'declined', allowed))
      .then(settled(1, 'declined', { retry: 'allowed' })));

  it('is a card like any other where they were made in more than 200 days', () => {
    const slowly = times(MAX_ENTRIES + 50, (n) => external(`t${n}`, plus(T0, n * 5 * HOUR)));
    expect(permit(slowly, plus(T0, 400 * DAY))).to.have.property('at');
    expect(permit(slowly, plus(T0, 220 * DAY))).to.have.property('at');
  });
});

describe('what counts together', () => {
  const full = (some: Parameters<typeof reserved>[2], count: number) =>
    on(...times(count, (n) => reserved(n, T0, some)));

  it('Visa: the same amount and currency, merchant and customer apart', () => {
    const visa = full({}, 15);
    visa.when(reserve(16)).thenNothing();
    for (const other of [{ amount: 4_901 }, { currency: 'USD' }, { initiator: 'customer' as const }])
      visa.when(reserve(16, T0, aCharge(other))).then(reserved(16, T0, other));
  });

  it('Mastercard: every amount, whoever charges, in a day', () => {
    const brand = 'mastercard';
    const mastercard = full({ brand, initiator: 'customer' }, 9);
    for (const other of [{}, { amount: 1 }, { currency: 'USD' }, { initiator: 'customer' as const }])
      mastercard.when(reserve(16, T0, aCharge({ brand, ...other }))).thenNothing();
    const dayAfter = plus(T0, DAY);
    mastercard.when(reserve(16, dayAfter, aCharge({ brand }))).then(reserved(16, dayAfter, { brand }));
  });

  it('Mastercard: 30 of an amount in a month', () => {
    const brand = 'mastercard';
    const daily = on(...times(30, (n) => external(`t${n}`, plus(T0, n * 20 * HOUR), { brand })));
    const then = plus(T0, 30 * 20 * HOUR);
    daily.when(reserve(1, then, aCharge({ brand }))).thenNothing();
    const other = { brand, amount: 1 };
    daily.when(reserve(1, then, aCharge(other))).then(reserved(1, then, other));
  });

  it('a card of a brand that nobody told: everything', () =>
    full({ brand: 'unknown' }, 10)
      .when(reserve(16, T0, aCharge({ brand: 'unknown', amount: 1 })))
      .thenNothing());

  it('attempts of others, each once', () => {
    on().when(record('t1')).then(external('t1'));
    on(external('t1')).when(record('t1')).thenNothing();
    on(...times(15, (n) => external(`t${n}`)))
      .when(reserve(1))
      .thenNothing();
  });
});

describe('an outcome', () => {
  it('is noted once, and only of an attempt that has a slot', () => {
    on()
      .when(settle(1, 'declined', allowed))
      .thenNothing();
    on(reserved(1))
      .when(settle(1, 'declined', allowed))
      .then(settled(1, 'declined', { retry: 'allowed' }));
    on(reserved(1), settled(1, 'succeeded'))
      .when(settle(1, 'declined', allowed))
      .thenNothing();
  });

  it('that forbids any other charge, or wants it later, holds for every recovery of the card', () => {
    const later = plus(T0, HOUR);
    const ban = settled(1, 'declined', { retry: 'never' });
    on(reserved(1), ban)
      .when(reserve(2, plus(T0, 400 * DAY)))
      .thenNothing();
    const wait = settled(1, 'declined', { retry: 'allowed', earliest_at: later });
    on(reserved(1), wait)
      .when(reserve(2, plus(T0, HOUR - 1)))
      .thenNothing();
    on(reserved(1), wait).when(reserve(2, later)).then(reserved(2, later));
  });

  it('does not shorten a wait, nor lift a ban', () => {
    const verdict = (retry: 'allowed' | 'never', hours: number) => ({
      verdict: { retry, earliest_at: plus(T0, hours * HOUR) },
    });
    on(external('t1', T0, verdict('allowed', 2)), external('t2', T0, verdict('allowed', 1)))
      .when(reserve(1, plus(T0, HOUR)))
      .thenNothing();
    on(external('t1', T0, verdict('never', 1)), external('t2', T0, verdict('allowed', 1)))
      .when(reserve(1, plus(T0, HOUR)))
      .thenNothing();
  });
});
