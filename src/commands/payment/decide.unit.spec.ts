import { expect } from 'chai';
import fc from 'fast-check';
import { given, stateOf } from '../../../test/support/spec.js';
import type { PaymentEvent } from '../../events/payment.js';
import { MAX_FAILURES, paymentDecider, type PaymentCommand, type RecordFailure } from './decide.js';
import { failureBy, isOvertaken } from './state.js';

const AT = '2026-03-01T10:00:00.000Z';
const failure = (trigger_id: string, over: Partial<RecordFailure['data']> = {}): RecordFailure['data'] => ({
  transaction_ref: 'inv_1',
  amount: 4900,
  currency: 'EUR',
  customer: { email: 'ada@example.com' },
  gateway: 'sandbox',
  failure: { decline_code: 'insufficient_funds' },
  trigger_id,
  failed_at: AT,
  ...over,
});
const failed = (trigger: string, late = false): PaymentEvent => ({
  type: 'PaymentFailed',
  data: { ...failure(trigger), late },
});
const success = { transaction_ref: 'inv_1', source: 'external', trigger_id: 's1', succeeded_at: AT } as const;
const succeeded: PaymentEvent = {
  type: 'PaymentSucceeded',
  data: { ...success, amount: 4900, currency: 'EUR' },
};

describe('payment', () => {
  it('records a failure, and a further one of the same payment', () => {
    given(paymentDecider)
      .when({ type: 'RecordFailure', data: failure('a') })
      .then(failed('a'));
    given(paymentDecider, failed('a'))
      .when({ type: 'RecordFailure', data: failure('b') })
      .then(failed('b'));
  });

  it('keeps the card where a later report tells no more than its digits or its country', () => {
    const known = { id: 'pm_1', fingerprint: 'fp_1', last4: '4242' };
    const told = (payment_method: object): PaymentEvent => ({
      type: 'PaymentFailed',
      data: { ...failure('b', { payment_method }), late: false },
    });
    const first = { ...failed('a'), data: { ...failure('a', { payment_method: known }), late: false } };
    const after = (method: object) => stateOf(paymentDecider, first as PaymentEvent, told(method));
    const methodAfter = (method: object) => {
      const state = after(method);
      return state.status === 'failed' ? state.last.payment_method : undefined;
    };
    expect(methodAfter({ last4: '4242' })).to.deep.equal(known);
    expect(methodAfter({ country: 'DE' })).to.deep.equal({ ...known, country: 'DE' });
    expect(methodAfter({ last4: '1111' })).to.deep.equal({ last4: '1111' });
  });

  it('keeps what an earlier report knew and a later one leaves out', () => {
    const first: PaymentEvent = {
      type: 'PaymentFailed',
      data: { ...failure('a', { references: { invoice: 'in_1' } }), late: false },
    };
    const later: PaymentEvent = {
      type: 'PaymentFailed',
      data: { ...failure('b', { customer: { name: 'Ada' } }), late: false },
    };
    const state = stateOf(paymentDecider, first, later);
    if (state.status !== 'failed') throw new Error('not failed');
    expect(state.last.customer).to.deep.equal({ email: 'ada@example.com', name: 'Ada' });
    expect(state.last.references).to.deep.equal({ invoice: 'in_1' });
  });

  describe('told of an older failure after a newer one', () => {
    const at = (
      trigger_id: string,
      failed_at: string,
      over: Partial<RecordFailure['data']>,
    ): PaymentEvent => ({
      type: 'PaymentFailed',
      data: { ...failure(trigger_id, { failed_at, ...over }), late: false },
    });
    const newer = at('b', '2026-03-01T12:00:00.000Z', {
      customer: { email: 'new@example.com' },
      payment_method: { id: 'pm_new' },
      failure: { decline_code: 'expired_card' },
      references: { invoice: 'in_2' },
    });
    const older = at('a', AT, {
      customer: { email: 'old@example.com', name: 'Ada' },
      payment_method: { id: 'pm_old', last4: '4242' },
      failure: { decline_code: 'insufficient_funds', card_brand: 'visa' },
      references: { invoice: 'in_1', payment_intent: 'pi_1' },
      psp_retries: { next_at: '2026-03-02T10:00:00.000Z' },
    });
    const lastOf = (...events: PaymentEvent[]) => {
      const state = stateOf(paymentDecider, ...events);
      if (state.status !== 'failed') throw new Error('not failed');
      return state.last;
    };

    it('keeps what the newer one told, and fills gaps', () =>
      expect(lastOf(newer, older)).to.deep.include({
        trigger_id: 'b',
        failed_at: '2026-03-01T12:00:00.000Z',
        customer: { email: 'new@example.com', name: 'Ada' },
        payment_method: { id: 'pm_new' },
        failure: { decline_code: 'expired_card' },
        references: { invoice: 'in_2', payment_intent: 'pi_1' },
        psp_retries: { next_at: '2026-03-02T10:00:00.000Z' },
      }));

    it('knows the same as if they had come in order', () =>
      expect(lastOf(newer, older)).to.deep.equal(lastOf(older, newer)));

    it('knows which was overtaken, and takes the later report of the same instant for the newer', () => {
      const same = at('c', '2026-03-01T12:00:00.000Z', { payment_method: { id: 'pm_c' } });
      const state = stateOf(paymentDecider, newer, older, same);
      expect(['b', 'a', 'c'].map((trigger) => isOvertaken(state, trigger))).to.deep.equal([
        false,
        true,
        false,
      ]);
      expect(lastOf(newer, older, same).payment_method).to.deep.equal({ id: 'pm_c' });
    });
  });

  it('takes the same trigger once', () =>
    given(paymentDecider, failed('a'))
      .when({ type: 'RecordFailure', data: failure('a') })
      .thenNothing());

  for (const over of [{ amount: 5000 }, { currency: 'USD' }])
    it(`refuses a failure of another ${Object.keys(over).join()}`, () =>
      given(paymentDecider, failed('a'))
        .when({ type: 'RecordFailure', data: failure('b', over) })
        .thenThrows('amount_mismatch'));

  it('marks a failure reported after the success as late', () =>
    given(paymentDecider, failed('a'), succeeded)
      .when({ type: 'RecordFailure', data: failure('b') })
      .then(failed('b', true)));

  it('takes amount and currency of a success from the failure', () =>
    given(paymentDecider, failed('a')).when({ type: 'RecordSuccess', data: success }).then(succeeded));

  it('needs the amount of a payment it never heard of', () => {
    given(paymentDecider).when({ type: 'RecordSuccess', data: success }).thenThrows('amount_required');
    given(paymentDecider)
      .when({ type: 'RecordSuccess', data: { ...success, amount: 4900 } })
      .thenThrows('amount_required');
  });

  it('takes amount and currency together only, and another amount as told', () => {
    for (const part of [{ amount: 4900 }, { currency: 'EUR' }])
      given(paymentDecider, failed('a'))
        .when({ type: 'RecordSuccess', data: { ...success, ...part } })
        .thenThrows('amount_required');
    given(paymentDecider, failed('a'))
      .when({ type: 'RecordSuccess', data: { ...success, amount: 4000, currency: 'EUR' } })
      .then({ type: 'PaymentSucceeded', data: { ...success, amount: 4000, currency: 'EUR' } });
  });

  it('refuses a success in another currency than the failure', () =>
    given(paymentDecider, failed('a'))
      .when({ type: 'RecordSuccess', data: { ...success, amount: 4900, currency: 'USD' } })
      .thenThrows('amount_mismatch'));

  it('holds a bounded number of failures, and still knows each of them', () => {
    const full = Array.from({ length: MAX_FAILURES }, (_, index) => failed(`f${index}`));
    given(paymentDecider, ...full)
      .when({ type: 'RecordFailure', data: failure('one more') })
      .thenThrows('too_many_failures');
    given(paymentDecider, ...full)
      .when({ type: 'RecordFailure', data: failure('f0') })
      .thenNothing();
    expect(failureBy(stateOf(paymentDecider, ...full), 'f500')?.trigger_id).to.equal('f500');
  });

  it('succeeds once', () =>
    given(paymentDecider, succeeded)
      .when({ type: 'RecordSuccess', data: { ...success, trigger_id: 's2' } })
      .thenNothing());

  it('property: no order or repetition of reports overturns a success or counts a trigger twice', () => {
    const command: fc.Arbitrary<PaymentCommand> = fc.oneof(
      fc
        .constantFrom('a', 'b', 'c')
        .map((trigger) => ({ type: 'RecordFailure' as const, data: failure(trigger) })),
      fc.constant({ type: 'RecordSuccess' as const, data: { ...success, amount: 4900, currency: 'EUR' } }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        const log = commands.reduce<PaymentEvent[]>(
          (events, one) => [...events, ...paymentDecider.decide(one, stateOf(paymentDecider, ...events))],
          [],
        );
        const triggers = log.flatMap((event) =>
          event.type === 'PaymentFailed' ? [event.data.trigger_id] : [],
        );
        const paidAt = log.findIndex(({ type }) => type === 'PaymentSucceeded');
        expect(new Set(triggers).size).to.equal(triggers.length);
        expect(stateOf(paymentDecider, ...log).status === 'succeeded').to.equal(paidAt >= 0);
        log.forEach((event, index) => {
          if (event.type === 'PaymentFailed') expect(event.data.late).to.equal(paidAt >= 0 && index > paidAt);
        });
      }),
    );
  });
});
