import { expect } from 'chai';
import {
  declined,
  PAYMENT,
  policy,
  startRecovery,
  T0,
  unguided,
} from '../../../test/support/recoverySamples.js';
import {
  begin,
  dataOf,
  decline,
  failAgain,
  known,
  run,
  succeed,
  types,
} from '../../../test/support/recoveryCommands.js';
import { given } from '../../../test/support/spec.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { classify } from './classification/classify.js';
import type { RecoveryCommand } from './command.js';
import { recoveryDecider } from './decide.js';
import { dueAction } from './due.js';
import { backoff } from './planRetry.js';

const at = (ms: number): string => plus(T0, ms);

describe('recovery', () => {
  describe('begins', () => {
    it('soft: with a retry and, a day later, a mail', () => {
      const events = run([startRecovery('insufficient_funds')]);
      expect(types(events)).to.deep.equal(['RecoveryStarted', 'RetryScheduled', 'NotificationScheduled']);
      expect(dataOf(events, 'RetryScheduled')?.at).to.equal(at(backoff(policy, PAYMENT, 1)));
      expect(dataOf(events, 'NotificationScheduled')).to.include({ at: at(DAY), template: 'payment_failed' });
    });

    const mailed = {
      expired_card: 'update_card',
      authentication_required: 'authentication_required',
      invalid_account: 'other_method',
      stolen_card: 'other_method',
    };
    for (const [code, template] of Object.entries(mailed))
      it(`${code}: with a mail at once and no retry`, () => {
        const events = run([startRecovery(code)]);
        expect(types(events)).to.deep.equal(['RecoveryStarted', 'NotificationScheduled']);
        expect(dataOf(events, 'NotificationScheduled')).to.include({ at: T0, template });
      });

    for (const code of [
      'stop_payment_order',
      'merchant_blacklist',
      'testmode_decline',
      'duplicate_transaction',
    ])
      it(`${code}: is told to the merchant and ends at once, with neither retry nor mail`, () =>
        expect(types(run([startRecovery(code)]))).to.deep.equal([
          'RecoveryStarted',
          'RecoveryEscalated',
          'RecoveryExhausted',
        ]));

    it('network trouble: with retries only', () =>
      expect(types(run([startRecovery('processing_error')]))).to.deep.equal([
        'RecoveryStarted',
        'RetryScheduled',
      ]));

    it('an undecided payment: and waits for its outcome', () =>
      expect(types(run([startRecovery('upi_pending')]))).to.deep.equal(['RecoveryStarted']));

    it('without an address: with retries only', () =>
      expect(types(run([startRecovery('insufficient_funds', { channels: [] })]))).to.deep.equal([
        'RecoveryStarted',
        'RetryScheduled',
      ]));

    it('not before the network allows', () => {
      const classification = classify({ decline_code: 'insufficient_funds', advice_code: '28' }, T0);
      expect(dataOf(run([startRecovery('x', { classification })]), 'RetryScheduled')?.at).to.equal(
        at(6 * DAY),
      );
    });

    it('once for the same failure; a further failure of its kind is told to the running one', () => {
      const events = run([startRecovery('insufficient_funds')]);
      given(recoveryDecider, ...events)
        .when(startRecovery('insufficient_funds'))
        .thenNothing();
      expect(
        types(run([startRecovery('insufficient_funds', { triggerId: 'trigger-2' })], events)).slice(3),
      ).to.deep.equal(['FurtherFailureRecorded']);
    });
  });

  describe('retries', () => {
    const events = run([startRecovery('insufficient_funds')]);
    const due = dataOf(events, 'RetryScheduled')?.at ?? '';

    it('only the scheduled attempt, when due, once', () => {
      given(recoveryDecider, ...events)
        .when(begin(1, plus(due, -1)))
        .thenNothing();
      given(recoveryDecider, ...events)
        .when(begin(2, due))
        .thenNothing();
      const begun = run([begin(1, due)], events);
      expect(types(begun).at(-1)).to.equal('RetryStarted');
      given(recoveryDecider, ...begun)
        .when(begin(1, due))
        .thenNothing();
    });

    it('settles once and ends with the money', () => {
      const done = run([begin(1, due), succeed(1, due)], events);
      expect(types(done).slice(-2)).to.deep.equal(['RetrySucceeded', 'RecoverySucceeded']);
      expect(dataOf(done, 'RecoverySucceeded')).to.include({
        source: 'our_retry',
        amount: 4900,
        currency: 'EUR',
        previous_status: 'active',
      });
      given(recoveryDecider, ...done)
        .when(succeed(1, due))
        .thenNothing();
    });

    it('goes on after a decline with growing, capped waits, then mails and ends', () => {
      let log = events;
      for (let attempt = 1; attempt <= 3; attempt++) {
        const now = dataOf(log, 'RetryScheduled')?.at ?? '';
        log = run([begin(attempt, now), decline(attempt, 'insufficient_funds', now)], log);
      }
      const scheduled = log.flatMap((event) => (event.type === 'RetryScheduled' ? [event.data.attempt] : []));
      expect(scheduled).to.deep.equal([1, 2, 3]);
      const mail = (step: number, now: string): RecoveryCommand[] => [
        { type: 'StartNotification', data: { guidance: unguided, step, messageId: `<${step}>`, now } },
        { type: 'SettleNotification', data: { step, outcome: { status: 'sent' }, guidance: unguided, now } },
      ];
      log = run(mail(1, at(DAY)), log);
      expect(dataOf(log, 'NotificationScheduled')).to.include({
        step: 2,
        template: 'final_notice',
        at: at(4 * DAY),
      });
      log = run(mail(2, at(4 * DAY)), log);
      expect(dataOf(log, 'GracePeriodStarted')?.until).to.equal(at(11 * DAY));
      given(recoveryDecider, ...log)
        .when({ type: 'CloseRecovery', data: { now: at(11 * DAY - 1) } })
        .thenNothing();
      log = run([{ type: 'CloseRecovery', data: { now: at(11 * DAY) } }], log);
      expect(dataOf(log, 'RecoveryExhausted')?.reason).to.equal('no_response');
    });

    it('asks again with growing pauses while the outcome is unknown', () => {
      const unknown = (now: string): RecoveryCommand => ({
        type: 'SettleRetry',
        data: { attempt: 1, guidance: unguided, now, outcome: { status: 'unknown', reason: 'timeout' } },
      });
      const log = run([begin(1, due), unknown(due), unknown(plus(due, MINUTE))], events);
      expect(dataOf(log, 'RetryOutcomeUnknown')).to.include({ check: 2, check_at: plus(due, 3 * MINUTE) });
      expect(dueAction(known(log), plus(due, 3 * MINUTE))?.kind).to.equal('settle');
      expect(dueAction(known(log), plus(due, 2 * MINUTE))).to.equal(undefined);
    });

    it('drops the schedule when a further failure forbids it, and never takes that back', () => {
      const hard = failAgain('t2', declined('stolen_card'), T0);
      const soft = failAgain('t3', declined('insufficient_funds'), T0);
      const log = run([hard, soft], events);
      given(recoveryDecider, ...log)
        .when(begin(1, due))
        .thenNothing();
      expect(types(log).filter((type) => type === 'RetryScheduled')).to.have.length(1);
    });

    it('not while the customer stands at a checkout', () => {
      const log = run([{ type: 'OpenCheckout', data: { reference: 'cs_1', now: due } }], events);
      expect(dueAction(known(log), plus(due, 44 * MINUTE))).to.equal(undefined);
      expect(dueAction(known(log), plus(due, 45 * MINUTE))?.kind).to.equal('retry');
    });

    it('not when the customer went to a checkout in the moment of the decision', () => {
      const open: RecoveryCommand = { type: 'OpenCheckout', data: { reference: 'cs_1', now: due } };
      given(recoveryDecider, ...run([open], events))
        .when(begin(1, due))
        .thenNothing();
    });

    it('records money that came twice, although the recovery was over', () => {
      const paid: RecoveryCommand = {
        type: 'SucceedRecovery',
        data: { amount: 4900, currency: 'EUR', source: 'external', now: due },
      };
      expect(types(run([begin(1, due), paid, succeed(1, due)], events)).slice(-3)).to.deep.equal([
        'RecoverySucceeded',
        'RetrySucceeded',
        'DoublePaymentSuspected',
      ]);
    });
  });

  describe('mails', () => {
    const events = run([startRecovery('expired_card')]);
    const startMail: RecoveryCommand = {
      type: 'StartNotification',
      data: { guidance: unguided, step: 1, messageId: '<m>', now: T0 },
    };
    const fail = (permanent: boolean, now: string): RecoveryCommand => ({
      type: 'SettleNotification',
      data: { step: 1, guidance: unguided, now, outcome: { status: 'failed', permanent, reason: 'x' } },
    });

    it('gives up an address that cannot be reached', () => {
      const log = run([startMail, fail(true, T0)], events);
      expect(dataOf(log, 'RecoveryExhausted')?.reason).to.equal('undeliverable');
    });

    it('tries a passing failure again, later and later, and not for ever', () => {
      let log = events;
      for (let tries = 1, now = T0; tries <= 6; tries++) {
        log = run(
          [{ ...startMail, data: { ...startMail.data, now } } as RecoveryCommand, fail(false, now)],
          log,
        );
        now = dataOf(log, 'NotificationFailed')?.retry_at ?? now;
      }
      expect(dataOf(log, 'NotificationFailed')?.permanent).to.equal(true);
      expect(types(log).at(-1)).to.equal('RecoveryExhausted');
    });

    it('sends again what was started and never settled', () => {
      const log = run([startMail], events);
      expect(dueAction(known(log), plus(T0, MINUTE - 1))).to.equal(undefined);
      expect(dueAction(known(log), plus(T0, MINUTE))?.kind).to.equal('notify');
    });
  });

  describe('ends', () => {
    const events = run([startRecovery('insufficient_funds')]);
    const paid = (source: 'external' | 'link'): RecoveryCommand => ({
      type: 'SucceedRecovery',
      data: { amount: 4900, currency: 'EUR', source, now: at(HOUR) },
    });
    const cancel: RecoveryCommand = { type: 'CancelRecovery', data: { reason: 'asked', by: 'u1' } };

    it('when the payment succeeds, once', () => {
      const log = run([paid('external')], events);
      given(recoveryDecider, ...log)
        .when(paid('link'))
        .thenNothing();
      expect(dueAction(known(log), at(40 * DAY))).to.equal(undefined);
    });

    it('when cancelled, once; and not after it ended otherwise', () => {
      const log = run([cancel], events);
      given(recoveryDecider, ...log)
        .when(cancel)
        .thenNothing();
      given(recoveryDecider, ...run([paid('link')], events))
        .when(cancel)
        .thenThrows('recovery_closed');
    });

    it('with the money even after it was given up', () =>
      expect(dataOf(run([cancel, paid('external')], events), 'RecoverySucceeded')?.previous_status).to.equal(
        'cancelled',
      ));

    it('after thirty days', () => {
      given(recoveryDecider, ...events)
        .when({ type: 'CloseRecovery', data: { now: at(30 * DAY - 1) } })
        .thenNothing();
      expect(types(run([{ type: 'CloseRecovery', data: { now: at(30 * DAY) } }], events)).at(-1)).to.equal(
        'RecoveryExpired',
      );
    });

    it('knows nothing of a recovery that never began', () => {
      given(recoveryDecider).when(cancel).thenNothing();
      given(recoveryDecider).when(paid('link')).thenNothing();
    });
  });

  it('opens a checkout once per session and not beside a charge', () => {
    const events = run([startRecovery('insufficient_funds')]);
    const open: RecoveryCommand = { type: 'OpenCheckout', data: { reference: 'cs_1', now: T0 } };
    given(recoveryDecider, ...run([open], events))
      .when(open)
      .thenNothing();
    const due = dataOf(events, 'RetryScheduled')?.at ?? '';
    given(recoveryDecider, ...run([begin(1, due)], events))
      .when(open)
      .thenThrows('attempt_in_flight');
  });

  it('has a checkout take the place of the one before, and no other', () => {
    const events = run([startRecovery('insufficient_funds')]);
    const open = (reference: string, previous?: string, now = T0): RecoveryCommand => ({
      type: 'OpenCheckout',
      data: { reference, previous, now },
    });
    const log = run([open('cs_1'), open('cs_2', 'cs_1')], events);
    expect(dataOf(log, 'CheckoutOpened')).to.include({ reference: 'cs_2', checkout: 2 });
    given(recoveryDecider, ...log)
      .when(open('cs_3', 'cs_1'))
      .thenThrows('version_conflict');
    // An invoice has the same page every time.
    expect(types(run([open('cs_2', 'cs_2', at(HOUR))], log)).at(-1)).to.equal('CheckoutOpened');
  });

  it('spreads attempts by up to a tenth, the same way every time', () => {
    const spread = Array.from({ length: 200 }, (_, i) => backoff(policy, `p${i}`, 5) / (180 * MINUTE));
    expect(Math.min(...spread)).to.be.within(0.9, 0.92);
    expect(Math.max(...spread)).to.be.within(0.98, 1);
    expect(backoff(policy, 'p1', 2)).to.equal(backoff(policy, 'p1', 2));
  });
});
