import type { Category } from '../../events/recovery.js';
import { DAY } from '../../kernel/clock.js';

export interface MailStep {
  readonly template: string;
  /** After the decision that plans it. */
  readonly delay: number;
  /** Not while a retry may still bring the money in. */
  readonly afterRetries?: true;
}
export type MailPlan = readonly MailStep[];

const none: MailPlan = [];
const gentle: MailPlan = [
  { template: 'payment_failed', delay: DAY },
  { template: 'final_notice', delay: 3 * DAY, afterRetries: true },
];
const silentAtFirst: MailPlan = [
  { template: 'payment_failed', delay: 0, afterRetries: true },
  { template: 'final_notice', delay: 3 * DAY },
];
const atOnce = (template: string): MailPlan => [
  { template, delay: 0 },
  { template, delay: 3 * DAY },
  { template: 'final_notice', delay: 4 * DAY },
];
const updateCard = atOnce('update_card');
const otherMethod = atOnce('other_method');

/** Which mails a category calls for; none where the customer can do nothing or must not be asked. */
export const mailPlans: Readonly<Record<Category, MailPlan>> = {
  insufficient_funds: gentle,
  issuer_decline: gentle,
  velocity_limit: gentle,
  issuer_risk: gentle,
  unknown: gentle,
  network_error: silentAtFirst,
  authentication_required: atOnce('authentication_required'),
  customer_abandoned: atOnce('payment_failed'),
  card_data_invalid: updateCard,
  credential_changed: updateCard,
  account_invalid: otherMethod,
  lost_stolen_fraud: otherMethod,
  not_permitted: otherMethod,
  revoked: none,
  merchant_config: none,
  psp_blocked: none,
  duplicate: none,
  pending_unknown: none,
};

/** The customer has to do something, now: such a plan begins anew although other mails are out. */
export const isUrgent = ([first]: MailPlan): boolean => first?.delay === 0 && first.afterRetries !== true;
