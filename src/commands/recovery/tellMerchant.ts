import { deriveId } from '../../kernel/ids.js';
import { claimAlert } from '../alert/claim.js';
import { type Acting, contextOf, type Done, give, nowOf } from './acting.js';
import type { KnownRecovery, PendingAlert } from './state.js';

/** Short enough for one line of a mail's head, however long the cause. */
export const alertMessageId = (recoveryId: string, cause: string): string =>
  `<alert.${deriveId('alert-mail', recoveryId, cause)}@stealth-recovery>`;

/**
 * Mails the merchant, or leaves it to the recovery that does so that day. The day's place is claimed before each try,
 * so that a try that is put off past midnight does not come beside the mail of the next day. The id of the message
 * names recovery and cause: whoever finds an intent without outcome sends the same mail again.
 */
export const tellMerchant = async (
  acting: Acting,
  known: KnownRecovery,
  { cause, reason, ruleName }: PendingAlert,
): Promise<Done> => {
  const { deps, principal, recoveryId } = acting;
  const now = nowOf(acting);
  const claim = { cause, recoveryId, now };
  const byRecovery = await claimAlert(deps.store, claim, contextOf(acting, 'ClaimAlert', now));
  deps.faults('alert:after-claim');
  if (byRecovery !== recoveryId) return give(acting, { type: 'SkipAlert', data: { cause, byRecovery, now } });
  const messageId = alertMessageId(recoveryId, cause);
  const begun = await give(acting, { type: 'StartAlert', data: { cause, messageId, now } });
  deps.faults('alert:after-intent');
  if (begun.events.length === 0 || !(await deps.stillMine())) return begun;
  const outcome = await deps.sendAlert({
    orgId: principal.orgId,
    recoveryId,
    messageId,
    cause,
    reason,
    ...(ruleName !== undefined && { ruleName }),
    transactionRef: known.transactionRef,
    amount: known.cohort.amount,
    currency: known.cohort.currency,
  });
  deps.faults('alert:after-send');
  const settled = { cause, outcome, now: nowOf(acting) };
  const done = await give({ ...acting, loaded: begun }, { type: 'SettleAlert', data: settled });
  deps.faults('alert:after-outcome');
  return done;
};
