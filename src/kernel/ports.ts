import type { Instant } from './clock.js';
import type { OrgId, PaymentId, RecoveryId } from './ids.js';

/** A failure as the PSP words it. `message` is free text and may hold personal data. */
export interface Failure {
  readonly code?: string;
  readonly message?: string;
  readonly decline_code?: string;
  readonly network_code?: string;
  readonly advice_code?: string;
  readonly card_brand?: string;
  /** Who refused, and at which step, where the PSP tells. */
  readonly source?: string;
  readonly step?: string;
}

/** What a PSP needs to know of the debt. Amounts are integer minor units, currency ISO 4217 upper case. */
export interface Debt {
  readonly orgId: OrgId;
  readonly paymentId: PaymentId;
  readonly recoveryId: RecoveryId;
  readonly transactionRef: string;
  readonly gateway: string;
  readonly amount: number;
  readonly currency: string;
  readonly paymentMethodId?: string;
  readonly customerId?: string;
  /** The PSP's own objects for this debt, e.g. `payment_intent`, `invoice`. */
  readonly references: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export type ChargeOutcome =
  | { readonly status: 'succeeded'; readonly reference: string }
  | { readonly status: 'declined'; readonly failure: Failure; readonly reference?: string }
  /** The PSP may or may not have charged: ask again with the same key, never with another. */
  | { readonly status: 'unknown'; readonly reason: string }
  /** The PSP says that nothing came of the key or the payment (lookup only). */
  | { readonly status: 'not_found' };

export interface Psp {
  /**
   * Charges the stored payment method off-session. Never throws: a failure to learn the outcome is `unknown`.
   * @param idempotencyKey the PSP answers the same key with the first result (Stripe: for 24 h)
   */
  charge(debt: Debt, idempotencyKey: string, requestId?: string): Promise<ChargeOutcome>;
  /** What became of an earlier charge whose outcome is unknown and whose key the PSP may have forgotten. Never charges. */
  lookup(debt: Debt, idempotencyKey: string, requestId?: string): Promise<ChargeOutcome>;
  /**
   * Opens a checkout page for the customer; closes `previous`, an earlier one of the same debt. Throws when the PSP
   * cannot be reached, and `attempt_in_flight` while an earlier payment of the debt is still undecided.
   */
  openCheckout(debt: Debt, page: CheckoutPage): Promise<Checkout>;
  /** Tells the PSP not to retry the debt by itself any more; again is the same. Never throws. */
  stopRetries(debt: Debt, requestId?: string): Promise<StoppedRetries>;
  /** Sees to it that a checkout cannot be paid any more, or tells that it was. Never throws. */
  closeCheckout(debt: Debt, reference: string, requestId?: string): Promise<ClosedCheckout>;
}

export interface CheckoutPage {
  readonly idempotencyKey: string;
  readonly merchantName: string;
  /** Where the customer goes after paying, and after giving up. */
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** From then on the page takes no money, where the PSP can say so. */
  readonly expiresAt: Instant;
  readonly previous?: string;
  readonly requestId?: string;
}

export type Checkout =
  | { readonly status: 'open'; readonly url: string; readonly reference: string }
  /** The debt was settled in the meantime, at a checkout of ours or otherwise: nothing to pay. */
  | { readonly status: 'already_paid'; readonly reference: string; readonly by: 'checkout' | 'other' };

export type ClosedCheckout =
  | { readonly status: 'closed' }
  /** `reference` is the PSP's name for the payment. */
  | { readonly status: 'paid'; readonly reference: string }
  /** The money may still come, or the PSP does not answer. */
  | { readonly status: 'undecided'; readonly reason: string };

export type StoppedRetries =
  | { readonly status: 'stopped' }
  /** The PSP refuses, or nothing is there to stop. */
  | { readonly status: 'left'; readonly reason: string }
  | { readonly status: 'undecided'; readonly reason: string };

export interface MailAddress {
  readonly name?: string;
  readonly address: string;
}

export interface Mail {
  /** Fixed per recovery and step (RFC 5322, with angle brackets): a second copy is recognisably the same mail. */
  readonly messageId: string;
  /** Several see each other. */
  readonly to: MailAddress | readonly MailAddress[];
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type MailOutcome =
  | { readonly status: 'sent' }
  /** `permanent`: the server refused the address or the message (5xx); trying again will not help. */
  | { readonly status: 'failed'; readonly permanent: boolean; readonly reason: string };

export interface Mailer {
  /** Hands the mail to the SMTP server. Never throws. Once the signal aborts the mail is given up, also half sent. */
  send(mail: Mail, signal?: AbortSignal): Promise<MailOutcome>;
}

/** Secrets and password hashes, encrypted at rest; the only state besides the log that cannot be rebuilt. */
export interface Vault {
  /** Stores a secret under an id chosen by the caller; the same id again keeps the first value. */
  put(id: string, orgId: OrgId, secret: string): Promise<void>;
  /** Undefined when there is none, or when it belongs to another organization. */
  get(id: string, orgId: OrgId): Promise<string | undefined>;
}
