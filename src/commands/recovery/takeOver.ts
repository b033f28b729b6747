import type { Loaded } from '../handle.js';
import type { Payment } from '../payment/state.js';
import { type Acting, type Done, give, guidanceFor, nowOf, requestIdOf } from './acting.js';
import { debtOrThrow } from './settle.js';
import type { KnownRecovery } from './state.js';

/**
 * Tells the PSP to retry this debt no more by itself. Told twice is told once, so no intent goes before it; until it
 * is done nothing of ours is scheduled.
 */
export const takeOver = async (
  acting: Acting,
  known: KnownRecovery,
  payment: Loaded<Payment>,
): Promise<Done> => {
  const { deps } = acting;
  const debt = debtOrThrow(acting, known, payment.state);
  const answer = await deps.psp.stopRetries(debt, requestIdOf(acting, 'stop'));
  deps.faults('stop:after-effect');
  if (answer.status === 'undecided') {
    const { reason } = answer;
    deps.logger.warn({ reason }, 'the PSP does not say whether it stops retrying by itself');
    const data = { reason: reason.slice(0, 500), now: nowOf(acting) };
    return give(acting, { type: 'AwaitPspRetries', data });
  }
  const guidance = await guidanceFor(acting, payment);
  const left = answer.status === 'left' ? { left: answer.reason.slice(0, 500) } : {};
  return give(acting, { type: 'StopPspRetries', data: { ...left, guidance, now: nowOf(acting) } });
};
