import { type RecoveryEvent, SETTLE_AFTER } from '../../events/recovery.js';
import { isBefore, plus } from '../../kernel/clock.js';
import type { CommandOf, RecoveryCommand } from './command.js';
import { failedMail } from './failedMail.js';
import type { KnownRecovery, PendingAlert } from './state.js';

/** What the merchant is still to be told: whether a recovery is over makes no difference to it. */

type Alerts = readonly PendingAlert[];
type AlertEvent = Extract<RecoveryEvent, { type: `MerchantAlert${string}` }>;
type Escalated = Extract<RecoveryEvent, { type: 'RecoveryEscalated' }>;

const alertOf = ({ cause, reason, rule_name, escalated_at, cohort }: Escalated['data']): PendingAlert => ({
  cause,
  reason,
  ...(rule_name !== undefined && { ruleName: rule_name }),
  at: escalated_at ?? cohort.opened_at,
  failures: 0,
});

const changed = (alerts: Alerts, cause: string, change: (alert: PendingAlert) => PendingAlert): Alerts =>
  alerts.map((alert) => (alert.cause === cause ? change(alert) : alert));

const evolveAlerts = (alerts: Alerts, { type, data }: AlertEvent): Alerts => {
  const over = alerts.filter(({ cause }) => cause !== data.cause);
  switch (type) {
    case 'MerchantAlertStarted': {
      const { cause, message_id: messageId, started_at } = data;
      return changed(alerts, cause, (alert) => ({ ...alert, messageId, at: plus(started_at, SETTLE_AFTER) }));
    }
    case 'MerchantAlertFailed': {
      const { cause, permanent, retry_at } = data;
      if (permanent) return over;
      return changed(alerts, cause, (alert) => {
        const failures = alert.failures + 1;
        return { ...alert, at: retry_at ?? alert.at, failures };
      });
    }
    case 'MerchantAlertSent':
    case 'MerchantAlertSkipped':
      return over;
    default:
      return type satisfies never;
  }
};

export const evolveEscalation = (known: KnownRecovery, event: Escalated | AlertEvent): KnownRecovery => {
  if (event.type !== 'RecoveryEscalated') return { ...known, alerts: evolveAlerts(known.alerts, event) };
  const escalated = [...known.escalated, event.data.cause];
  return { ...known, escalated, alerts: [...known.alerts, alertOf(event.data)] };
};

const dueAlert = (
  { cause, now }: CommandOf<'StartAlert' | 'SkipAlert'>,
  { alerts }: KnownRecovery,
): PendingAlert | undefined => alerts.find((alert) => alert.cause === cause && !isBefore(now, alert.at));

const settle = (
  { cause, outcome, now }: CommandOf<'SettleAlert'>,
  { alerts, cohort }: KnownRecovery,
): RecoveryEvent[] => {
  const { messageId: message_id, failures } = alerts.find((alert) => alert.cause === cause) ?? {};
  if (message_id === undefined) return [];
  if (outcome.status === 'sent')
    return [{ type: 'MerchantAlertSent', data: { cause, message_id, sent_at: now, cohort } }];
  const failure = failedMail(outcome, failures ?? 0, now);
  return [{ type: 'MerchantAlertFailed', data: { cause, ...failure, cohort } }];
};

export const decideAlert = (
  command: Extract<RecoveryCommand, { type: `${string}Alert` }>,
  known: KnownRecovery,
): RecoveryEvent[] => {
  const { cohort } = known;
  switch (command.type) {
    case 'StartAlert': {
      const { cause, messageId: message_id, now: started_at } = command.data;
      if (dueAlert(command.data, known) === undefined) return [];
      return [{ type: 'MerchantAlertStarted', data: { cause, message_id, started_at, cohort } }];
    }
    case 'SkipAlert': {
      const { cause, byRecovery: by_recovery, now: skipped_at } = command.data;
      if (dueAlert(command.data, known) === undefined) return [];
      return [{ type: 'MerchantAlertSkipped', data: { cause, by_recovery, skipped_at, cohort } }];
    }
    case 'SettleAlert':
      return settle(command.data, known);
    default:
      return command satisfies never;
  }
};
