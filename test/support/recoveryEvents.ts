import type { RecordedEvent } from '../../src/events/envelope.js';
import { recoveryStream } from '../../src/events/recovery.js';
import { recorded } from './projectionSpec.js';

/** One recovery told by hand: 50.00 EUR, opened on 1 March at 10:00. */
export const ORG = '5f0c1c9e-0000-4000-8000-000000000001';
export const RECOVERY = '5f0c1c9e-0000-4000-8000-0000000000aa';
export const PAYMENT = '5f0c1c9e-0000-4000-8000-0000000000bb';
export const OPENED = '2026-03-01T10:00:00.000Z';
export const EXPIRES = '2026-03-31T10:00:00.000Z';
export const cohort = { opened_at: OPENED, amount: 5_000, currency: 'EUR' };

const evidence = { step: 'decline_code', value: 'insufficient_funds', table_version: '1', raw: {} };
export const classified = {
  soft: { category: 'insufficient_funds', hardness: 'soft', retry: 'allowed', evidence },
  hard: { category: 'card_data_invalid', hardness: 'hard', retry: 'after_change', evidence },
  banned: { category: 'lost_stolen_fraud', hardness: 'hard', retry: 'never', evidence },
} as const;

const explanation = {
  chosen: 'retry',
  candidates: ['retry'],
  rejected: [],
  evidence,
  policy_version: 0,
  rules_version: 0,
  limits_version: 0,
  counters: {},
};

const event = (type: string, data: object, at: string): RecordedEvent =>
  recorded(recoveryStream(RECOVERY), type, { ...data, cohort }, { org_id: ORG, occurred_at: at });

const policy = {
  version: 0,
  max_retries: 4,
  initial_delay_minutes: 60,
  backoff_multiplier: 2,
  max_delay_minutes: 1_440,
  enabled_channels: ['email'],
};

/** One builder per event type; `at` is when it happened. */
export const told = {
  started: (classification: object = classified.soft) =>
    event(
      'RecoveryStarted',
      {
        payment_id: PAYMENT,
        transaction_ref: 'order-1',
        gateway: 'stripe',
        trigger_id: 't1',
        ...classification,
        policy_version: 0,
        policy,
        channels: ['email'],
        expires_at: EXPIRES,
      },
      OPENED,
    ),
  failedAgain: (at: string, classification: object) =>
    event('FurtherFailureRecorded', { trigger_id: `t-${at}`, ...classification }, at),
  retryScheduled: (at: string, attempt: number, due: string) =>
    event('RetryScheduled', { attempt, at: due, explanation }, at),
  retryStarted: (at: string, attempt: number) =>
    event('RetryStarted', { attempt, idempotency_key: `k${attempt}`, started_at: at }, at),
  retrySucceeded: (at: string, attempt: number) =>
    event('RetrySucceeded', { attempt, reference: 'ch_1' }, at),
  retryDeclined: (at: string, attempt: number, classification: object) =>
    event(
      'RetryDeclined',
      { attempt, failure: { decline_code: 'x', message: 'Dear Ann' }, ...classification },
      at,
    ),
  retryUnknown: (at: string, attempt: number, check: number, check_at: string) =>
    event('RetryOutcomeUnknown', { attempt, reason: 'timeout', check, check_at }, at),
  mailScheduled: (at: string, step: number, due: string) =>
    event('NotificationScheduled', { step, channel: 'email', at: due, template: 'payment_failed' }, at),
  mailStarted: (at: string, step: number) =>
    event('NotificationStarted', { step, message_id: `<${step}@x>`, started_at: at }, at),
  mailSent: (at: string, step: number) =>
    event('NotificationSent', { step, message_id: `<${step}@x>`, sent_at: at }, at),
  mailFailed: (at: string, step: number, retry_at?: string) =>
    event(
      'NotificationFailed',
      { step, permanent: retry_at === undefined, reason: 'no', ...(retry_at !== undefined && { retry_at }) },
      at,
    ),
  escalated: (at: string, cause: string, escalated_at?: string) =>
    event(
      'RecoveryEscalated',
      { cause, reason: 'review it', ...(escalated_at !== undefined && { escalated_at }) },
      at,
    ),
  alertStarted: (at: string, cause: string) =>
    event('MerchantAlertStarted', { cause, message_id: `<${cause}@x>`, started_at: at }, at),
  alertSent: (at: string, cause: string) =>
    event('MerchantAlertSent', { cause, message_id: `<${cause}@x>`, sent_at: at }, at),
  alertFailed: (at: string, cause: string, retry_at?: string) =>
    event(
      'MerchantAlertFailed',
      { cause, permanent: retry_at === undefined, reason: 'no', ...(retry_at !== undefined && { retry_at }) },
      at,
    ),
  alertSkipped: (at: string, cause: string) =>
    event('MerchantAlertSkipped', { cause, by_recovery: PAYMENT, skipped_at: at }, at),
  linkOpened: (at: string) => event('RecoveryLinkOpened', { link_opened_at: at }, at),
  checkoutOpened: (at: string, checkout: number) =>
    event('CheckoutOpened', { reference: `cs_${checkout}`, checkout, checkout_opened_at: at }, at),
  checkoutUndecided: (at: string, checkout: number, check_at: string) =>
    event('CheckoutUndecided', { reference: `cs_${checkout}`, reason: 'processing', check_at }, at),
  graceStarted: (at: string, until: string) => event('GracePeriodStarted', { until }, at),
  succeeded: (at: string, source: string, previous_status = 'active') =>
    event(
      'RecoverySucceeded',
      { payment_id: PAYMENT, amount: 5_000, currency: 'EUR', source, succeeded_at: at, previous_status },
      at,
    ),
  exhausted: (at: string) => event('RecoveryExhausted', { reason: 'retries_used_up' }, at),
  expired: (at: string) => event('RecoveryExpired', { expired_at: at }, at),
  cancelled: (at: string) => event('RecoveryCancelled', { reason: 'asked to', by: 'ann' }, at),
};

/** `day(3, 12)`: 3 March at 12:00. */
export const day = (date: number, hour = 10, minute = 0): string =>
  new Date(Date.UTC(2026, 2, date, hour, minute)).toISOString();
