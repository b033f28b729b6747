import { expect } from 'chai';
import fc from 'fast-check';
import {
  begin,
  decline,
  failAgain,
  known,
  run,
  succeed,
  types,
} from '../../../test/support/recoveryCommands.js';
import { declined, policy, startRecovery, T0, unguided } from '../../../test/support/recoverySamples.js';
import { assertValid } from '../../events/registry.js';
import type { RecoveryEvent } from '../../events/recovery.js';
import { DAY, isBefore, MINUTE, plus } from '../../kernel/clock.js';
import type { RecoveryCommand } from './command.js';
import { dueAction } from './due.js';
import type { Recovery } from './state.js';

describe('property: over random histories', () => {
  const codes = [
    'insufficient_funds',
    'processing_error',
    'expired_card',
    'stolen_card',
    'do_not_honor',
    'weird',
    'stop_payment_order',
  ];
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('work' as const),
        code: fc.constantFrom(...codes, 'ok', 'unknown'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        code: fc.constantFrom('1', '60', '1440', '20000'),
      }),
    },
    fc.record({ kind: fc.constant('fail' as const), code: fc.constantFrom(...codes) }),
    fc.record({ kind: fc.constantFrom('pay', 'cancel', 'checkout'), code: fc.constant('') }),
  );

  const commandFor = (
    kind: string,
    code: string,
    state: Recovery,
    now: string,
    index: number,
  ): RecoveryCommand | undefined => {
    if (kind === 'pay')
      return { type: 'SucceedRecovery', data: { amount: 4900, currency: 'EUR', source: 'external', now } };
    if (kind === 'cancel') return { type: 'CancelRecovery', data: { reason: 'x', by: 'u' } };
    if (kind === 'checkout') {
      const previous = state.status === 'none' ? undefined : state.checkout?.reference;
      return { type: 'OpenCheckout', data: { reference: `cs_${index}`, previous, now } };
    }
    if (kind === 'fail') return failAgain(`t${index}`, declined(code), now);
    if (state.status !== 'none' && state.open !== undefined) {
      const { attempt } = state.open;
      return code === 'ok'
        ? succeed(attempt, now)
        : code === 'unknown'
          ? {
              type: 'SettleRetry',
              data: { attempt, guidance: unguided, now, outcome: { status: 'unknown', reason: 'timeout' } },
            }
          : decline(attempt, code, now);
    }
    const due = dueAction(state, now);
    if (due?.kind === 'retry') return begin(due.attempt, now);
    if (due?.kind === 'close') return { type: 'CloseRecovery', data: { now } };
    if (due?.kind !== 'notify') return undefined;
    const { step: mail, messageId } = due.notification;
    return messageId === undefined
      ? { type: 'StartNotification', data: { guidance: unguided, step: mail, messageId: `<${mail}>`, now } }
      : {
          type: 'SettleNotification',
          data: {
            step: mail,
            guidance: unguided,
            now,
            outcome: code === 'ok' ? { status: 'sent' } : { status: 'failed', permanent: false, reason: 'x' },
          },
        };
  };

  it('every event is valid, no attempt follows a refusal, a success or the policy limit, and an active recovery always has something to wait for', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codes), fc.array(step, { maxLength: 60 }), (first, steps) => {
        let log = run([startRecovery(first)]);
        let now = T0;
        steps.forEach(({ kind, code }, index) => {
          if (kind === 'wait') now = plus(now, Number(code) * MINUTE);
          const command = kind === 'wait' ? undefined : commandFor(kind, code, known(log), now, index);
          if (command === undefined) return;
          try {
            log = run([command], log);
          } catch (error) {
            expect((error as { code?: string }).code).to.be.oneOf(['recovery_closed', 'attempt_in_flight']);
          }
        });
        log.forEach(({ type, data }) => assertValid(type, data));
        check(log);
      }),
      { numRuns: 300 },
    );
  });

  const check = (log: readonly RecoveryEvent[]): void => {
    let forbidden = false;
    let over = false;
    const attempts = new Set<number>();
    for (const event of log) {
      if (event.type === 'RetryStarted') {
        expect(forbidden || over, `attempt after ${JSON.stringify(types(log))}`).to.equal(false);
        expect(attempts.has(event.data.attempt)).to.equal(false);
        attempts.add(event.data.attempt);
      }
      if ('retry' in event.data) forbidden ||= event.data.retry === 'never';
      if (event.type === 'RetryScheduled')
        expect(forbidden, `planned after ${JSON.stringify(types(log))}`).to.equal(false);
      if (
        ['RecoverySucceeded', 'RecoveryExhausted', 'RecoveryExpired', 'RecoveryCancelled'].includes(
          event.type,
        )
      )
        over = true;
    }
    expect(attempts.size).to.be.at.most(policy.max_retries);
    expect(log.filter(({ type }) => type === 'RecoverySucceeded').length).to.be.at.most(1);
    const state = known(log);
    if (state.status !== 'active') return;
    const horizon = isBefore(T0, state.expiresAt) ? plus(state.expiresAt, 400 * DAY) : T0;
    expect(dueAction(state, horizon)).to.not.equal(undefined);
  };
});
