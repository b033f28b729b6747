import { DAY, HOUR, type Instant } from '../../kernel/clock.js';
import type { Category, Classification, Cohort } from '../../events/recovery.js';
import type { RetryPolicy } from '../../events/organization.js';
import type { SuccessSource } from '../../events/payment.js';
import type { MailPlan } from './mailPlans.js';

/** Stripe may forget an idempotency key after 24 h; from here on an unknown outcome is looked up, never asked again. */
export const KEY_LIFETIME = 23 * HOUR;
/** An outcome that is still unknown then never comes: bank debits are decided within days. */
export const OUTCOME_DEADLINE = 14 * DAY;
/** The longest a recovery runs, and the life of its link. */
export const RECOVERY_LIFETIME = 30 * DAY;
/** How long the customer may still pay by the last mail's link. */
export const GRACE_PERIOD = 7 * DAY;

/** What an attempt charges. */
export interface Charged {
  readonly payment_method_id?: string;
  readonly references: Readonly<Record<string, string>>;
}

/** An attempt whose intent is in the log and whose outcome is not. */
export interface OpenAttempt {
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly startedAt: Instant;
  readonly checks: number;
  readonly credentialId?: string;
  /** Absent in older logs: then what the payment says now. */
  readonly charged?: Charged;
  /** When to ask what became of it. */
  readonly checkAt: Instant;
}

/** A mail that is due at `at`; with a message id its sending has been started. */
export interface PendingNotification {
  readonly step: number;
  readonly template: string;
  readonly at: Instant;
  readonly messageId?: string;
  readonly failures: number;
}

/** The merchant is to be told at `at`; with a message id the sending has been started. */
export interface PendingAlert {
  readonly cause: string;
  readonly reason: string;
  readonly ruleName?: string;
  readonly at: Instant;
  readonly messageId?: string;
  readonly failures: number;
}

export interface RecoveryCase {
  readonly cohort: Cohort;
  readonly paymentId: string;
  readonly transactionRef: string;
  readonly classification: Classification;
  readonly policy: RetryPolicy;
  readonly channels: readonly string[];
  readonly expiresAt: Instant;
  readonly triggers: Triggers;
  readonly chargeable: boolean;
  readonly payable: boolean;
  /** The PSP retries by itself: watched until it gives up, or to be told to stop, and told. Undefined: it does not. */
  readonly pspRetries?: 'watched' | 'gave_up' | 'to_stop' | 'stopped';
  /** When the PSP is to be told to stop, and how often it did not answer. */
  readonly pspStop?: { readonly at: Instant; readonly checks: number };
  /** Matters for the merchant: categories, ids of rules. */
  readonly escalated: readonly string[];
  /** Of these, what the merchant is still to be told, also once the recovery is over. */
  readonly alerts: readonly PendingAlert[];
  /** Attempts of ours whose intent was recorded. */
  readonly attempts: number;
  /** Of these, those that the PSP refused for a fault that is not the customer's: they use nothing up. */
  readonly refused: number;
  /** When the newest attempt began that an issuer answered: what failed before is older. */
  readonly answeredAt?: Instant;
  /** For a failure of that category. */
  readonly scheduled?: { readonly attempt: number; readonly at: Instant; readonly category: Category };
  /** The attempt that was put off when its time had come. */
  readonly waited?: number;
  readonly open?: OpenAttempt;
  readonly notification?: PendingNotification;
  /** Mails that are out or were given up. */
  readonly steps: number;
  readonly mailsSent: number;
  readonly undeliverable: boolean;
  readonly linkOpened: boolean;
  readonly checkout?: {
    readonly reference: string;
    readonly count: number;
    /** Nothing is done beside the customer before then. */
    readonly quietUntil: Instant;
  };
  readonly graceUntil?: Instant;
  /** The urgent plan that mails follow, and how many steps were taken before it began. */
  readonly urgentMails?: MailPlan;
  readonly stepsBefore: number;
  /** Who brought the money in. */
  readonly paidBy?: { readonly source: SuccessSource; readonly reference?: string };
}

/** What caused failures to be recorded, newest first: adding one copies nothing. */
export type Triggers = { readonly id: string; readonly before: Triggers } | undefined;

export const isKnown = (triggers: Triggers, id: string): boolean => {
  for (let one = triggers; one !== undefined; one = one.before) if (one.id === id) return true;
  return false;
};

export type ClosedStatus = 'succeeded' | 'exhausted' | 'expired' | 'cancelled';
export type Recovery =
  | { readonly status: 'none' }
  | (RecoveryCase & { readonly status: 'active' })
  | (RecoveryCase & { readonly status: ClosedStatus });
export type KnownRecovery = Exclude<Recovery, { status: 'none' }>;

export const initialState: Recovery = { status: 'none' };
