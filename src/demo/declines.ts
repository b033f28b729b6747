/** The declines of the demo, as Stripe words them, each with the test card that gives it. */
export interface Decline {
  readonly code: string;
  readonly decline_code?: string;
  readonly network_code?: string;
  readonly message: string;
  readonly last4: string;
}

const declined = (
  decline_code: string,
  network_code: string,
  last4: string,
  message = 'Your card was declined.',
) => ({ code: 'card_declined', decline_code, network_code, last4, message });

export const declines = {
  insufficient_funds: declined('insufficient_funds', '51', '9995', 'Your card has insufficient funds.'),
  do_not_honor: declined('do_not_honor', '05', '0002'),
  card_velocity_exceeded: declined('card_velocity_exceeded', '65', '6975'),
  stolen_card: declined('stolen_card', '43', '9979'),
  stop_payment_order: declined('stop_payment_order', 'R0', '0002'),
  processing_error: {
    ...declined('processing_error', '96', '0119', 'An error occurred while processing your card.'),
    code: 'processing_error',
  },
  expired_card: { ...declined('expired_card', '54', '0069', 'Your card has expired.'), code: 'expired_card' },
  authentication_required: {
    ...declined('authentication_required', '1A', '3184', 'This transaction requires authentication.'),
    code: 'authentication_required',
  },
  timeout: { code: 'payment_method_provider_timeout', message: 'The provider timed out.', last4: '4242' },
  invalid_amount: {
    code: 'invalid_amount',
    decline_code: 'invalid_amount',
    message: 'Invalid amount.',
    last4: '4242',
  },
} as const satisfies Readonly<Record<string, Decline>>;

export type DeclineName = keyof typeof declines;
