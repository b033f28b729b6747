import type { RecoveryEvent } from '../../events/recovery.js';
import { type Changes, instant, occurredAt } from '../fold.js';
import { moved } from './moved.js';
import { settleAt } from './pending.js';
import type { RecoveryRow } from './row.js';
import { withEscalation } from './steps.js';

/** Matters for the merchant, and whether they were told. */
export const escalationChanges: Changes<RecoveryRow, RecoveryEvent> = {
  RecoveryEscalated: (row, event) => {
    const { cause, reason, escalated_at, cohort } = event.data;
    const alert_at = instant(escalated_at ?? cohort.opened_at);
    const untold = { status: 'pending', alert_at, told_at: null, told_by: null } as const;
    const escalations = [...row.escalations, { cause, reason, at: occurredAt(event), ...untold }];
    return moved(row, event, { escalations, escalated: true });
  },
  MerchantAlertStarted: (row, event) => {
    const { cause, started_at } = event.data;
    const alert_at = settleAt(started_at);
    return moved(row, event, { escalations: withEscalation(row.escalations, cause, { alert_at }) });
  },
  MerchantAlertFailed: (row, event) => {
    const { cause, permanent, retry_at } = event.data;
    const later = retry_at === undefined ? {} : { alert_at: instant(retry_at) };
    const change = permanent ? ({ status: 'failed', alert_at: null } as const) : later;
    return moved(row, event, { escalations: withEscalation(row.escalations, cause, change) });
  },
  MerchantAlertSent: (row, event) => {
    const { cause, sent_at } = event.data;
    const change = { status: 'told', alert_at: null, told_at: instant(sent_at) } as const;
    return moved(row, event, { escalations: withEscalation(row.escalations, cause, change) });
  },
  MerchantAlertSkipped: (row, event) => {
    const { cause, by_recovery: told_by, skipped_at } = event.data;
    const change = { status: 'told', alert_at: null, told_at: instant(skipped_at), told_by } as const;
    return moved(row, event, { escalations: withEscalation(row.escalations, cause, change) });
  },
};
