import type { MailTemplate } from '../../../events/mail.js';
import type { Category } from '../../../events/recovery.js';

export interface Wording {
  readonly subject: string;
  readonly lead: string;
  readonly request: string;
  readonly button: string;
}

/** Liquid, with `merchant_name` and `money`. None of them tells why, or blames the customer. */
export const wordings: Readonly<Record<MailTemplate, Wording>> = {
  payment_failed: {
    subject: 'Your payment to {{ merchant_name }} did not go through',
    lead: 'Your payment of {{ money }} to {{ merchant_name }} did not go through.',
    request: 'You can complete it on a secure page, with the same or another payment method:',
    button: 'Pay now',
  },
  authentication_required: {
    subject: 'Please confirm your payment to {{ merchant_name }}',
    lead: 'Your payment of {{ money }} to {{ merchant_name }} is waiting for your confirmation.',
    request: 'You can confirm it on a secure page:',
    button: 'Confirm payment',
  },
  update_card: {
    subject: 'Please check your payment details for {{ merchant_name }}',
    lead: 'Your payment of {{ money }} to {{ merchant_name }} did not go through with the payment details on file.',
    request: 'You can pay with up-to-date details on a secure page:',
    button: 'Update and pay',
  },
  other_method: {
    subject: 'Your payment to {{ merchant_name }} did not go through',
    lead: 'Your payment of {{ money }} to {{ merchant_name }} did not go through.',
    request: 'Please use another payment method. You can do so on a secure page:',
    button: 'Pay another way',
  },
  final_notice: {
    subject: 'Last reminder: your payment to {{ merchant_name }} is still open',
    lead: 'Your payment of {{ money }} to {{ merchant_name }} is still open. This is our last reminder.',
    request: 'You can complete it on a secure page:',
    button: 'Pay now',
  },
};

/**
 * What a customer may be told of the reason. A category that is not listed gets none: to say that a card is reported
 * lost or stolen, blocked, or suspected of fraud would warn the wrong person or hurt the right one.
 */
export const reasons: Readonly<Partial<Record<Category, string>>> = {
  insufficient_funds: 'The amount was not available at the time. It can help to check your balance first.',
  velocity_limit: 'A limit on the number or amount of payments was reached.',
  network_error: 'There was a technical problem on the way to your bank.',
  authentication_required: 'Your bank asks you to confirm the payment yourself.',
  card_data_invalid: 'Card details such as the expiry date may have changed.',
  credential_changed: 'Card details such as the expiry date may have changed.',
};
