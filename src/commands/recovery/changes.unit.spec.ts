import { expect } from 'chai';
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
import { declined, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import { classify } from './classification/classify.js';
import type { RecoveryCommand } from './command.js';
import { dueAction } from './due.js';

const at = (ms: number): string => plus(T0, ms);
const due = (log: readonly RecoveryEvent[]): string => dataOf(log, 'RetryScheduled')?.at ?? '';
const mail = (step: number, now: string): RecoveryCommand[] => [
  { type: 'StartNotification', data: { guidance: unguided, step, messageId: `<${step}>`, now } },
  { type: 'SettleNotification', data: { step, outcome: { status: 'sent' }, guidance: unguided, now } },
];
const unknown = (attempt: number, now: string): RecoveryCommand => ({
  type: 'SettleRetry',
  data: { attempt, guidance: unguided, now, outcome: { status: 'unknown', reason: 'timeout' } },
});

/** Another failure than the first comes in, from the PSP or as the answer to a charge of ours. */
describe('a recovery whose failure changes', () => {
  const soft = run([startRecovery('insufficient_funds')]);

  it('keeps a ban when an open attempt is declined for a milder reason', () => {
    const now = due(soft);
    const banned = [begin(1, now), failAgain('t2', declined('stolen_card'), now)];
    const log = run([...banned, decline(1, 'insufficient_funds', now)], soft);
    expect(types(log).filter((type) => type === 'RetryScheduled')).to.have.length(1);
  });

  it('waits as long as the network asks for, also for a charge already planned', () => {
    const wait = (code: string) => classify({ decline_code: 'insufficient_funds', advice_code: code }, T0);
    const log = run([failAgain('t2', wait('28'), T0), failAgain('t3', wait('24'), T0)], soft);
    expect(due(log)).to.equal(at(6 * DAY));
    expect(types(log).filter((type) => type === 'RetryScheduled')).to.have.length(2);
  });

  for (const code of ['stop_payment_order', 'testmode_decline'])
    it(`sends no mail any more after ${code}, nor waits for one`, () => {
      const now = due(soft);
      const log = run([begin(1, now), decline(1, code, now)], soft);
      expect(types(log).slice(-4)).to.deep.equal([
        'RetryDeclined',
        'RecoveryEscalated',
        'NotificationDropped',
        'RecoveryExhausted',
      ]);
      const mailed = run(mail(1, at(DAY)), soft);
      const ended = run([failAgain('t2', declined(code), at(DAY))], mailed);
      expect(dataOf(ended, 'RecoveryExhausted')?.reason).to.equal(declined(code).category);
    });

  it('mails at once what only the customer can do, in place of what was planned', () => {
    const now = due(soft);
    const log = run([begin(1, now), decline(1, 'authentication_required', now)], soft);
    expect(types(log).slice(-2)).to.deep.equal(['NotificationDropped', 'NotificationScheduled']);
    expect(dataOf(log, 'NotificationScheduled')).to.include({
      step: 1,
      template: 'authentication_required',
      at: now,
    });
  });

  it('begins an urgent plan after the mails that are out, once', () => {
    let log = run(mail(1, at(DAY)), soft);
    const later = at(2 * DAY);
    log = run([failAgain('t2', declined('authentication_required'), later)], log);
    expect(dataOf(log, 'NotificationScheduled')).to.include({ step: 2, at: later });
    log = run(mail(2, later), log);
    log = run([failAgain('t3', declined('insufficient_funds'), later)], log);
    log = run([failAgain('t4', declined('authentication_required'), later)], log);
    expect(dataOf(log, 'NotificationScheduled')).to.include({ step: 3, at: at(5 * DAY) });
  });

  it('does not end with the grace period when a charge was planned in it', () => {
    let log = run([startRecovery('expired_card')]);
    for (const [step, day] of [
      [1, 0],
      [2, 3],
      [3, 7],
    ] as const)
      log = run(mail(step, at(day * DAY)), log);
    const until = dataOf(log, 'GracePeriodStarted')?.until ?? '';
    const late = plus(until, -30 * MINUTE);
    log = run([failAgain('t2', declined('insufficient_funds'), late)], log);
    expect(dueAction(known(log), plus(until, MINUTE))).to.equal(undefined);
    expect(dueAction(known(log), due(log))?.kind).to.equal('retry');
  });

  it("uses no attempt up on a fault that is the merchant's", () => {
    const now = due(soft);
    const log = run([begin(1, now), decline(1, 'psp_not_connected', now)], soft);
    const state = known(log);
    expect(state.status !== 'none' && state.attempts - state.refused).to.equal(0);
  });

  it('says why after every decision', () => {
    const now = due(soft);
    const log = run([begin(1, now), decline(1, 'expired_card', now), ...mail(1, now)], soft);
    const forgotten = run([failAgain('t2', declined('insufficient_funds'), T0)], soft);
    expect(dataOf(forgotten, 'FurtherFailureRecorded')?.explanation?.rejected).to.deep.equal([
      { candidate: 'retry', reason: 'one is scheduled' },
      { candidate: 'notify', reason: 'one is scheduled' },
    ]);
    const expired = run([{ type: 'CloseRecovery', data: { now: at(30 * DAY) } }], log);
    expect(dataOf(expired, 'RecoveryExpired')?.explanation?.chosen).to.equal('close');
  });
});

describe('an attempt whose outcome never comes', () => {
  const begun = run([startRecovery('insufficient_funds')]);
  const now = due(begun);

  it('is asked for a limited time, then ends the recovery for the operator to see', () => {
    let log = run([begin(1, now)], begun);
    for (let when = now, asked = 0; asked < 200 && known(log).status === 'active'; asked++) {
      log = run([unknown(1, when)], log);
      when = dataOf(log, 'RetryOutcomeUnknown')?.check_at ?? when;
    }
    expect(types(log).slice(-2)).to.deep.equal(['RetryUnresolved', 'RecoveryExhausted']);
    expect(dataOf(log, 'RecoveryExhausted')?.reason).to.equal('outcome_unknown');
    expect(log.length).to.be.below(80);
    expect(dueAction(known(log), at(400 * DAY))).to.equal(undefined);
  });
});

describe('a debt that is paid twice', () => {
  const begun = run([startRecovery('insufficient_funds')]);
  const now = due(begun);
  const paid = (source: 'external' | 'link' | 'our_retry', reference: string): RecoveryCommand => ({
    type: 'SucceedRecovery',
    data: { amount: 4900, currency: 'EUR', source, reference, now: plus(now, HOUR) },
  });
  const suspected = (log: readonly RecoveryEvent[]) => dataOf(log, 'DoublePaymentSuspected');

  it('is told, whichever comes first', () => {
    expect(suspected(run([begin(1, now), paid('link', 'pi_2'), succeed(1, now)], begun))).to.deep.include({
      references: ['pi_2', 'ch_1'],
      sources: ['link', 'our_retry'],
    });
    expect(suspected(run([begin(1, now), succeed(1, now), paid('link', 'pi_2')], begun))).to.deep.include({
      references: ['ch_1', 'pi_2'],
    });
  });

  it('is not when both are the same payment', () => {
    for (const same of [paid('external', 'ch_1'), paid('our_retry', 'evt_1')]) {
      expect(suspected(run([begin(1, now), same, succeed(1, now)], begun))).to.equal(undefined);
      expect(suspected(run([begin(1, now), succeed(1, now), same], begun))).to.equal(undefined);
    }
  });
});

describe('a debt that cannot be collected in every way', () => {
  const means = (chargeable: boolean, payable: boolean) => ({ means: { chargeable, payable } });

  it('is not charged when the PSP has nothing on file, and mailed for', () => {
    const log = run([startRecovery('insufficient_funds', means(false, true))]);
    expect(types(log)).to.deep.equal(['RecoveryStarted', 'NotificationScheduled']);
    expect(dataOf(log, 'NotificationScheduled')?.explanation?.rejected[0]?.reason).to.contain(
      'nothing on file',
    );
    const later = run([failAgain('t2', declined('insufficient_funds'), T0)], log);
    expect(types(later).at(-1)).to.equal('RetryScheduled');
  });

  it('is not mailed for without a checkout to lead to', () => {
    expect(types(run([startRecovery('expired_card', means(false, false))]))).to.deep.equal([
      'RecoveryStarted',
      'RecoveryExhausted',
    ]);
  });
});
