import type { Recorded } from '../../events/envelope.js';
import type { Evidence, RecoveryEvent } from '../../events/recovery.js';
import { inWords } from './evidence.js';

const spoken = (code: string): string => code.replaceAll('_', ' ');

const foundIn = (evidence: Evidence): string => {
  const { step, value } = inWords(evidence);
  if (step === 'message') return value === undefined ? 'by its message' : `by its message: ${value}`;
  return value === undefined ? 'no code was recognised' : `${spoken(step)} ${value}`;
};

const started = ({
  category,
  retry,
  evidence,
}: Extract<RecoveryEvent, { type: 'RecoveryStarted' }>['data']): string => {
  const permission = {
    allowed: 'the same payment method may be charged again',
    after_change: 'charging again is useless before something changes',
    never: 'the same payment method must never be charged again',
  }[retry];
  return `The payment failed: ${spoken(category)} (${foundIn(evidence)}); ${permission}.`;
};

const failedAgain = ({
  category,
  retry,
  earliest_at,
  older,
}: Extract<RecoveryEvent, { type: 'FurtherFailureRecorded' }>['data']): string => {
  if (older === true)
    return `A failure from before was told of late: ${spoken(category)}; ${
      retry === 'never'
        ? 'its ban holds, and no charge that was planned is made'
        : 'what is known since then holds'
    }.`;
  const effect =
    retry !== 'allowed'
      ? '; no charge that was planned is made'
      : earliest_at === undefined
        ? ''
        : `; nothing is charged before ${earliest_at}`;
  return `The payment failed again, not by our doing: ${spoken(category)}${effect}.`;
};

const retrySummary = (event: Extract<RecoveryEvent, { type: `Retry${string}` }>): string => {
  const attempt = `Attempt ${event.data.attempt}`;
  switch (event.type) {
    case 'RetryScheduled':
      return `${attempt} is planned for ${event.data.at}.`;
    case 'RetryDropped':
      return `${attempt} is not made: ${event.data.reason}.`;
    case 'RetryStarted':
      return `${attempt} begins: the PSP is asked to charge.`;
    case 'RetrySucceeded':
      return `${attempt} succeeded.`;
    case 'RetryDeclined':
      return `${attempt} was declined: ${spoken(event.data.category)}.`;
    case 'RetryOutcomeUnknown':
      return `The PSP did not say what became of attempt ${event.data.attempt}; it is asked again at ${event.data.check_at}.`;
    case 'RetryUnresolved':
      return `The PSP never said what became of attempt ${event.data.attempt}: look it up there. Nothing is charged again.`;
    default:
      return event satisfies never;
  }
};

const mailSummary = (event: Extract<RecoveryEvent, { type: `Notification${string}` }>): string => {
  const mail = `Mail ${event.data.step}`;
  switch (event.type) {
    case 'NotificationScheduled':
      return `${mail} (${spoken(event.data.template)}) is planned for ${event.data.at}.`;
    case 'NotificationStarted':
      return `${mail} is handed to the mail server.`;
    case 'NotificationSent':
      return `${mail} is sent.`;
    case 'NotificationDropped':
      return `${mail} is not sent: ${event.data.reason}.`;
    case 'NotificationFailed':
      return event.data.permanent
        ? `${mail} could not be delivered: ${event.data.reason}.`
        : `${mail} was not accepted (${event.data.reason}); tried again at ${event.data.retry_at ?? 'once'}.`;
    default:
      return event satisfies never;
  }
};

const alertSummary = (event: Extract<RecoveryEvent, { type: `MerchantAlert${string}` }>): string => {
  switch (event.type) {
    case 'MerchantAlertStarted':
      return 'The mail to the merchant is handed to the mail server.';
    case 'MerchantAlertSent':
      return 'The merchant is mailed.';
    case 'MerchantAlertSkipped':
      return `The merchant gets one mail a day for this cause: recovery ${event.data.by_recovery} sends it.`;
    case 'MerchantAlertFailed':
      return event.data.permanent
        ? `The merchant could not be mailed: ${event.data.reason}.`
        : `The mail to the merchant was not accepted (${event.data.reason}); tried again at ${event.data.retry_at ?? 'once'}.`;
    default:
      return event satisfies never;
  }
};

const sources = {
  psp_retry: 'a retry of the PSP',
  our_retry: 'our retry',
  link: 'the mailed link',
  external: 'the customer, elsewhere',
} as const;

/** What a step of a recovery did, in words for a merchant. */
export const summaryOf = (event: Recorded<RecoveryEvent>): string => {
  switch (event.type) {
    case 'RecoveryStarted':
      return started(event.data);
    case 'FurtherFailureRecorded':
      return failedAgain(event.data);
    case 'RecoveryEscalated':
      return `A matter for the merchant: ${event.data.reason}.`;
    case 'PspRetriesFound':
      return event.data.mode === 'watch'
        ? 'The PSP retries by itself, and is left to it.'
        : 'The PSP retries by itself: it is told to stop.';
    case 'PspRetriesUndecided':
      return `The PSP does not say whether it stops retrying by itself; it is told again at ${event.data.check_at}.`;
    case 'PspRetriesStopped':
      return 'The PSP is told to retry no more by itself: the retries are ours.';
    case 'PspRetriesLeft':
      return `The PSP does not stop retrying by itself (${event.data.reason}): it is left to it.`;
    case 'PspRetriesEnded':
      return 'The PSP has given up retrying by itself.';
    case 'RecoveryLinkOpened':
      return 'The payment page was opened.';
    case 'CheckoutOpened':
      return 'The customer went to the checkout.';
    case 'CheckoutUndecided':
      return `The PSP cannot say yet whether the checkout brings the money in; it is asked again at ${event.data.check_at}.`;
    case 'GracePeriodStarted':
      return `Nothing more is planned; the link stays good until ${event.data.until}.`;
    case 'DoublePaymentSuspected':
      return `The debt was probably paid twice (${event.data.references.join(', ')}): one payment may have to be given back.`;
    case 'RecoverySucceeded':
      return `Recovered by ${sources[event.data.source]}.`;
    case 'RecoveryExhausted':
      return `Given up: ${spoken(event.data.reason)}.`;
    case 'RecoveryExpired':
      return 'Given up: its time is over.';
    case 'RecoveryCancelled':
      return `Cancelled: ${event.data.reason}.`;
    case 'NotificationScheduled':
    case 'NotificationStarted':
    case 'NotificationSent':
    case 'NotificationDropped':
    case 'NotificationFailed':
      return mailSummary(event);
    case 'MerchantAlertStarted':
    case 'MerchantAlertSent':
    case 'MerchantAlertSkipped':
    case 'MerchantAlertFailed':
      return alertSummary(event);
    default:
      return retrySummary(event);
  }
};
