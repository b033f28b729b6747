import { expect } from 'chai';
import { run } from '../../../test/support/recoveryCommands.js';
import { RECOVERY_ID } from '../../../test/support/actWorld.js';
import { MEANS, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import { given } from '../../../test/support/spec.js';
import { aRule } from '../../../test/support/ruleSamples.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import { DAY, HOUR, MINUTE, plus } from '../../kernel/clock.js';
import type { MailOutcome } from '../../kernel/ports.js';
import { compileRules } from '../rules/match.js';
import type { RecoveryCommand } from './command.js';
import { recoveryDecider } from './decide.js';

const cause = 'merchant_config';
const message_id = '<m@x>';
const cohort = { opened_at: T0, amount: 4900, currency: 'EUR' };

/** Escalated and exhausted in one append. */
const closed = run([startRecovery('testmode_decline')]);

const start = (now: string, of = cause): RecoveryCommand => ({
  type: 'StartAlert',
  data: { cause: of, messageId: message_id, now },
});
const settle = (outcome: MailOutcome, now: string): RecoveryCommand => ({
  type: 'SettleAlert',
  data: { cause, outcome, now },
});
const skip = (now: string): RecoveryCommand => ({
  type: 'SkipAlert',
  data: { cause, byRecovery: RECOVERY_ID, now },
});
const failure = (permanent: boolean): MailOutcome => ({ status: 'failed', permanent, reason: 'smtp_451' });

const begun = (at: string): RecoveryEvent => ({
  type: 'MerchantAlertStarted',
  data: { cause, message_id, started_at: at, cohort },
});
const sent: RecoveryEvent = { type: 'MerchantAlertSent', data: { cause, message_id, sent_at: T0, cohort } };
const failed = (permanent: boolean, retry_at?: string): RecoveryEvent => ({
  type: 'MerchantAlertFailed',
  data: { cause, permanent, reason: 'smtp_451', ...(retry_at !== undefined && { retry_at }), cohort },
});
const skipped: RecoveryEvent = {
  type: 'MerchantAlertSkipped',
  data: { cause, by_recovery: RECOVERY_ID, skipped_at: T0, cohort },
};

describe('a mail to the merchant', () => {
  const after = (...events: RecoveryEvent[]) => given(recoveryDecider, ...closed, ...events);

  it('is begun, also for a recovery that is over, and sent', () => {
    expect(closed.at(-1)?.type).to.equal('RecoveryExhausted');
    after().when(start(T0)).then(begun(T0));
    after(begun(T0))
      .when(settle({ status: 'sent' }, T0))
      .then(sent);
  });

  it('is begun again only by who finds it without an outcome a minute later', () => {
    after(begun(T0))
      .when(start(plus(T0, MINUTE - 1)))
      .thenNothing();
    after(begun(T0))
      .when(start(plus(T0, MINUTE)))
      .then(begun(plus(T0, MINUTE)));
  });

  it('is settled once, and not before it was begun', () => {
    after()
      .when(settle({ status: 'sent' }, T0))
      .thenNothing();
    for (const over of [sent, failed(true), skipped])
      for (const command of [start(plus(T0, DAY)), skip(plus(T0, DAY)), settle({ status: 'sent' }, T0)])
        after(begun(T0), over).when(command).thenNothing();
  });

  it('is tried again later and later, six times in all', () => {
    const history: RecoveryEvent[] = [];
    let now = T0;
    for (const minutes of [5, 10, 20, 40, 80]) {
      const next = plus(now, minutes * MINUTE);
      history.push(begun(now));
      after(...history)
        .when(settle(failure(false), now))
        .then(failed(false, next));
      history.push(failed(false, next));
      after(...history)
        .when(start(plus(next, -1)))
        .thenNothing();
      now = next;
    }
    after(...history, begun(now))
      .when(settle(failure(false), now))
      .then(failed(true));
  });

  it('is given up at once when nobody can be mailed', () =>
    after(begun(T0))
      .when(settle(failure(true), T0))
      .then(failed(true)));

  it('is left to another recovery, also once it was begun', () => {
    after().when(skip(T0)).then(skipped);
    after(begun(plus(T0, -HOUR)))
      .when(skip(T0))
      .then(skipped);
    after(begun(T0)).when(skip(T0)).thenNothing();
  });

  it('is nothing of a cause that was not escalated', () => {
    after()
      .when(start(plus(T0, DAY), 'psp_blocked'))
      .thenNothing();
  });

  it('names the rule that calls for it, and each cause is told by itself', () => {
    const rule = aRule(1, { name: 'big ones', conditions: {}, actions: { escalate: { reason: 'call' } } });
    const guidance = { ...unguided, rules: compileRules(1, [rule]) };
    const events = run([startRecovery('testmode_decline', { means: MEANS, guidance })]);
    const escalations = events.flatMap((event) => (event.type === 'RecoveryEscalated' ? [event.data] : []));
    expect(escalations).to.deep.equal([
      { cause, reason: "the merchant's own set-up refuses the payment", escalated_at: T0, cohort },
      { cause: rule.id, reason: 'call', rule_name: 'big ones', escalated_at: T0, cohort },
    ]);
    given(recoveryDecider, ...events, begun(T0), sent)
      .when(start(T0, rule.id))
      .then({
        type: 'MerchantAlertStarted',
        data: { cause: rule.id, message_id, started_at: T0, cohort },
      });
  });
});
