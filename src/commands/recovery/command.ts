import type { RetryPolicy } from '../../events/organization.js';
import type { SuccessSource } from '../../events/payment.js';
import type { Classification } from '../../events/recovery.js';
import type { Instant } from '../../kernel/clock.js';
import type { Message } from '../../kernel/message.js';
import type { Failure, MailOutcome } from '../../kernel/ports.js';
import type { PspRetries } from '../payment/state.js';
import type { Guidance } from './guidance.js';
import type { Charged } from './state.js';

export type Settlement =
  | { readonly status: 'succeeded'; readonly reference: string }
  | { readonly status: 'declined'; readonly failure: Failure; readonly classification: Classification }
  | { readonly status: 'unknown'; readonly reason: string };

/** How the debt can be collected: by a charge of what the PSP has on file, by leading the customer to a checkout. */
export interface Means {
  readonly chargeable: boolean;
  readonly payable: boolean;
}

export type RecoveryCommand =
  | Message<
      'StartRecovery',
      {
        readonly paymentId: string;
        readonly transactionRef: string;
        readonly gateway: string;
        readonly triggerId: string;
        readonly failedAt: Instant;
        readonly overtaken?: boolean;
        readonly amount: number;
        readonly currency: string;
        readonly classification: Classification;
        readonly policy: RetryPolicy;
        readonly channels: readonly 'email'[];
        readonly addressChanged?: boolean;
        readonly means: Means;
        /** How it stands with the PSP's own retries; absent when it never had any to make. */
        readonly pspRetries?: PspRetries;
        readonly guidance: Guidance;
        readonly now: Instant;
      }
    >
  | Message<
      'RecordFurtherFailure',
      {
        readonly triggerId: string;
        readonly failedAt: Instant;
        /** One that had happened later was told before it. */
        readonly overtaken?: boolean;
        readonly classification: Classification;
        readonly means: Means;
        /** By which the customer can be reached by now. */
        readonly channels: readonly 'email'[];
        /** Mails go to another address by it. */
        readonly addressChanged?: boolean;
        readonly pspRetries?: PspRetries;
        readonly guidance: Guidance;
        readonly now: Instant;
      }
    >
  | Message<
      /** No slot is free for it under the networks' limits, or the payment method is banned. */
      'ForgoRetry',
      { readonly attempt: number; readonly guidance: Guidance; readonly now: Instant }
    >
  | Message<
      'StartRetry',
      {
        readonly attempt: number;
        readonly idempotencyKey: string;
        readonly charged: Charged;
        readonly credentialId: string;
        readonly now: Instant;
      }
    >
  | Message<
      'SettleRetry',
      {
        readonly attempt: number;
        readonly outcome: Settlement;
        /** Of the PSP's report, when it was not the answer to our own question. */
        readonly triggerId?: string;
        readonly guidance: Guidance;
        readonly now: Instant;
      }
    >
  | Message<
      'StartNotification',
      {
        readonly step: number;
        readonly messageId: string;
        readonly guidance: Guidance;
        readonly now: Instant;
      }
    >
  | Message<
      'SettleNotification',
      {
        readonly step: number;
        readonly outcome: MailOutcome;
        readonly guidance: Guidance;
        readonly now: Instant;
      }
    >
  | Message<'StartAlert', { readonly cause: string; readonly messageId: string; readonly now: Instant }>
  | Message<'SettleAlert', { readonly cause: string; readonly outcome: MailOutcome; readonly now: Instant }>
  | Message<
      /** `byRecovery` mails the merchant of the same cause that day. */
      'SkipAlert',
      { readonly cause: string; readonly byRecovery: string; readonly now: Instant }
    >
  | Message<'OpenLink', { readonly now: Instant }>
  | Message<
      'OpenCheckout',
      /** `previous`: the checkout that was closed for this one. */
      { readonly reference: string; readonly previous?: string | undefined; readonly now: Instant }
    >
  | Message<'AwaitCheckout', { readonly reference: string; readonly reason: string; readonly now: Instant }>
  | Message<
      'SucceedRecovery',
      {
        readonly amount: number;
        readonly currency: string;
        readonly source: SuccessSource;
        /** What the PSP or the merchant calls the payment. */
        readonly reference?: string;
        readonly now: Instant;
      }
    >
  | Message<'FindPspRetries', { readonly guidance: Guidance; readonly now: Instant }>
  | Message<'EndPspRetries', { readonly guidance: Guidance; readonly now: Instant }>
  | Message<
      'StopPspRetries',
      /** `left`: why the PSP does not stop. */
      { readonly left?: string; readonly guidance: Guidance; readonly now: Instant }
    >
  | Message<'AwaitPspRetries', { readonly reason: string; readonly now: Instant }>
  | Message<'CloseRecovery', { readonly now: Instant }>
  | Message<'CancelRecovery', { readonly reason: string; readonly by: string }>;

export type CommandOf<T extends RecoveryCommand['type']> = Extract<RecoveryCommand, { type: T }>['data'];
