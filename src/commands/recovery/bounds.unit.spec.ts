import { expect } from 'chai';
import { dataOf, decline, begin, failAgain, known, run } from '../../../test/support/recoveryCommands.js';
import { declined, policy, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import type { RetryPolicy } from '../../events/organization.js';
import { DAY, HOUR, plus } from '../../kernel/clock.js';
import { builtInPolicy } from '../organization/builtInPolicy.js';
import { classify } from './classification/classify.js';
import { nextSteps } from './plan.js';
import { RECOVERY_LIFETIME } from './state.js';

/** Why no retry follows from where the log ends. */
const refusal = (log: readonly RecoveryEvent[], at: string): string | undefined => {
  const state = known(log);
  if (state.status === 'none') return undefined;
  const { scheduled: _, ...idle } = state;
  const { events, explanation } = nextSteps(idle, at, unguided);
  const said = events.flatMap(({ data }) =>
    'explanation' in data && data.explanation ? [data.explanation] : [],
  );
  const { rejected } = said[0] ?? explanation();
  return rejected.find(({ candidate }) => candidate === 'retry')?.reason;
};
const started = (code: string, own: Partial<RetryPolicy> = {}) =>
  run([startRecovery(code, { policy: { ...policy, ...own } })]);
/** As many attempts as that, each declined with the code. */
const declinedTimes = (code: string, times: number, own: Partial<RetryPolicy> = {}): RecoveryEvent[] => {
  let log = started(code, own);
  for (let attempt = 1; attempt <= times; attempt++) {
    const at = dataOf(log, 'RetryScheduled')?.at ?? '';
    log = run([begin(attempt, at), decline(attempt, code, at)], log);
  }
  return log;
};
const attemptsIn = (log: readonly RecoveryEvent[]) =>
  log.filter(({ type }) => type === 'RetryStarted').length;

describe('a retry is not planned', () => {
  it('later than the days of the policy after the beginning', () => {
    expect(dataOf(started('do_not_honor', { max_days: 1 }), 'RetryScheduled')).to.not.equal(undefined);
    const slow = { initial_delay_minutes: 3 * 1_440, max_delay_minutes: 3 * 1_440 };
    const log = started('do_not_honor', { ...slow, max_days: 2 });
    expect(dataOf(log, 'RetryScheduled')).to.equal(undefined);
    expect(refusal(log, T0)).to.equal('the policy allows no attempt later than 2 days');
  });

  it('more often than the category bears, whatever the policy allows', () => {
    for (const [code, cap] of [
      ['no_such_code', 2],
      ['security_violation', 1],
    ] as const) {
      const log = declinedTimes(code, cap, { max_retries: 9 });
      expect(attemptsIn(log)).to.equal(cap);
      expect(dataOf(log, 'RetryScheduled')?.attempt).to.equal(cap);
      expect(refusal(log, plus(T0, DAY))).to.match(/^no further attempt for (unknown|issuer_risk)$/);
    }
  });

  it('more often than the policy allows for the category', () => {
    const categories = { issuer_decline: { max_retries: 1 } };
    const log = declinedTimes('do_not_honor', 1, { max_retries: 3, categories });
    expect(refusal(log, plus(T0, DAY))).to.equal('the policy allows no further attempt');
  });

  it('after the end of the recovery', () => {
    const log = started('do_not_honor');
    const late = plus(T0, RECOVERY_LIFETIME - HOUR / 4);
    expect(refusal(log, late)).to.equal('the recovery ends before the next attempt');
    expect(refusal(log, plus(T0, RECOVERY_LIFETIME - DAY))).to.equal(undefined);
  });

  it('beyond a week for a payday', () => {
    const now = '2026-03-07T10:00:00.000Z';
    const classification = classify({ decline_code: 'insufficient_funds' }, now);
    const waits = { ...builtInPolicy, categories: { insufficient_funds: { waits_minutes: [5 * 1440] } } };
    const log = run([startRecovery('', { classification, policy: waits, now })]);
    expect(dataOf(log, 'RetryScheduled')?.at.slice(0, 10)).to.be.oneOf(['2026-03-11', '2026-03-12']);
  });

  it('by another clock than that of the customer, where it is known', () => {
    const hours = { ...policy, timezone: 'UTC', preferred_hours: { from: 9, to: 10 } };
    const hourIn = (timezone?: string): string | undefined => {
      const circumstances = { ...unguided.circumstances, ...(timezone !== undefined && { timezone }) };
      const guidance = { ...unguided, circumstances };
      const log = run([startRecovery('do_not_honor', { policy: hours, guidance })]);
      return dataOf(log, 'RetryScheduled')?.at.slice(11, 13);
    };
    expect(hourIn()).to.equal('09');
    expect(hourIn('Asia/Tokyo')).to.equal('00');
  });
});

describe('mails', () => {
  it('are no more than six, however often the failure becomes an urgent one', () => {
    let log = started('expired_card');
    const urgent = ['authentication_required', 'expired_card'];
    for (let n = 0; n < 20; n++) {
      const { notification } = known(log) as { notification?: { step: number; at: string } };
      if (notification === undefined) break;
      const { step, at } = notification;
      const told = { step, messageId: `m${step}`, guidance: unguided, now: at };
      log = run(
        [
          { type: 'StartNotification', data: told },
          { type: 'SettleNotification', data: { ...told, outcome: { status: 'sent' } } },
          failAgain(`t${n}`, declined(urgent[n % 2] ?? ''), plus(at, HOUR)),
        ],
        log,
      );
    }
    expect(log.filter(({ type }) => type === 'NotificationSent')).to.have.length(6);
  });
});
