import type { Category, Hardness, RetryPermission } from '../../../events/recovery.js';
import { DAY, HOUR } from '../../../kernel/clock.js';

/** Raise with every change of a row: each classification names the tables it was read from. */
export const TABLE_VERSION = '2026-11-24';

/** What a category means for the same payment method, unless stronger evidence says otherwise. */
export const categoryDefaults: Readonly<Record<Category, { hardness: Hardness; retry: RetryPermission }>> = {
  insufficient_funds: { hardness: 'soft', retry: 'allowed' },
  issuer_decline: { hardness: 'soft', retry: 'allowed' },
  velocity_limit: { hardness: 'soft', retry: 'allowed' },
  network_error: { hardness: 'soft', retry: 'allowed' },
  issuer_risk: { hardness: 'soft', retry: 'allowed' },
  unknown: { hardness: 'soft', retry: 'allowed' },
  authentication_required: { hardness: 'needs_customer', retry: 'after_change' },
  card_data_invalid: { hardness: 'needs_customer', retry: 'after_change' },
  credential_changed: { hardness: 'needs_customer', retry: 'after_change' },
  customer_abandoned: { hardness: 'needs_customer', retry: 'after_change' },
  account_invalid: { hardness: 'hard', retry: 'after_change' },
  not_permitted: { hardness: 'hard', retry: 'after_change' },
  merchant_config: { hardness: 'hard', retry: 'after_change' },
  psp_blocked: { hardness: 'hard', retry: 'after_change' },
  duplicate: { hardness: 'hard', retry: 'after_change' },
  pending_unknown: { hardness: 'soft', retry: 'after_change' },
  lost_stolen_fraud: { hardness: 'hard', retry: 'never' },
  revoked: { hardness: 'hard', retry: 'never' },
};

const rows = (groups: Readonly<Partial<Record<Category, string>>>): ReadonlyMap<string, Category> =>
  new Map(
    Object.entries(groups).flatMap(([category, codes]) =>
      codes
        .trim()
        .split(/\s+/)
        .map((code): [string, Category] => [code, category as Category]),
    ),
  );

/** Stripe decline codes (docs.stripe.com/declines/codes) and the same words of other PSPs. */
export const declineCodes = rows({
  insufficient_funds: 'insufficient_funds credit_limit_exceeded',
  velocity_limit: 'card_velocity_exceeded withdrawal_count_limit_exceeded',
  issuer_decline:
    'generic_decline do_not_honor call_issuer no_action_taken try_again_later do_not_try_again card_declined issuer_declined',
  network_error: 'approve_with_id reenter_transaction processing_error issuer_not_available network_error',
  issuer_risk: 'security_violation',
  authentication_required:
    'authentication_required authentication_not_handled mobile_device_authentication_required',
  card_data_invalid:
    'offline_pin_required online_or_offline_pin_required incorrect_pin invalid_pin pin_try_exceeded expired_card incorrect_cvc invalid_cvc incorrect_zip incorrect_address invalid_expiry_month invalid_expiry_year invalid_number incorrect_number',
  credential_changed: 'new_account_information_available',
  account_invalid: 'invalid_account',
  lost_stolen_fraud: 'lost_card stolen_card pickup_card fraudulent',
  revoked: 'stop_payment_order revocation_of_authorization revocation_of_all_authorizations',
  not_permitted:
    'restricted_card transaction_not_allowed card_not_supported currency_not_supported not_permitted service_not_allowed',
  merchant_config: 'invalid_amount testmode_decline psp_not_connected',
  psp_blocked: 'merchant_blacklist highest_risk_level rule low_probability_of_authorization',
  duplicate: 'duplicate_transaction',
  pending_unknown: 'upi_pending processing',
});

/** Stripe error codes, read when no decline code says more. */
export const errorCodes = rows({
  insufficient_funds: 'insufficient_funds',
  issuer_decline: 'payment_method_provider_decline card_declined',
  velocity_limit: 'card_decline_rate_limit_exceeded',
  network_error: 'payment_method_provider_timeout lock_timeout rate_limit processing_error',
  authentication_required: 'payment_intent_authentication_failure authentication_required',
  card_data_invalid: 'expired_payment_method expired_card incorrect_cvc incorrect_number invalid_number',
  account_invalid: 'bank_account_unusable account_closed account_number_invalid',
  revoked: 'debit_not_authorized payment_intent_mandate_invalid india_recurring_payment_mandate_canceled',
  merchant_config:
    'balance_insufficient psp_not_connected psp_not_authorized no_payment_reference resource_missing payment_intent_unexpected_state payment_intent_canceled invoice_void invoice_uncollectible invalid_request',
  customer_abandoned:
    'payment_method_customer_decline otp_timeout 3ds_timeout payment_cancelled payment_timed_out',
  pending_unknown: 'upi_pending',
});

/** The issuer says never, whatever the category. */
export const neverAgainDeclineCodes: ReadonlySet<string> = new Set(['do_not_try_again']);

/** ISO 8583 field 39 where Visa and Mastercard agree (Visa Core Rules 18 Apr 2026, table 7-2). */
export const networkCodes = rows({
  lost_stolen_fraud: '04 07 41 43',
  account_invalid: '15 46 39 52 53',
  card_data_invalid: '14 54 N7 6P 55 75 86',
  not_permitted: '12 57 62 78 93',
  revoked: 'R0 R1 R3',
  insufficient_funds: '51',
  velocity_limit: '61 65 N4',
  network_error: '91 96 19 06 22 30 31 92',
  issuer_risk: '59',
  merchant_config: '03 13',
  authentication_required: '1A',
  issuer_decline: '05 01 02 21',
});

/** Visa category 1: the issuer will never approve, no reattempt (same table). */
export const neverAgainNetworkCodes: ReadonlySet<string> = new Set(
  '04 07 41 43 14 15 46 12 57 R0 R1 R3'.split(' '),
);

export interface Advice {
  readonly category?: Category;
  readonly retry?: RetryPermission;
  /** Not before this long after the failure, in milliseconds. */
  readonly wait?: number;
}

/** Mastercard merchant advice codes and Stripe's `advice_code`. */
export const adviceCodes: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  ['01', { category: 'credential_changed', retry: 'after_change' }],
  ['02', { retry: 'allowed' }],
  ['03', { retry: 'never' }],
  ['21', { category: 'revoked', retry: 'never' }],
  ['24', { wait: HOUR }],
  ['25', { wait: DAY }],
  ['26', { wait: 2 * DAY }],
  ['27', { wait: 4 * DAY }],
  ['28', { wait: 6 * DAY }],
  ['29', { wait: 8 * DAY }],
  ['30', { wait: 10 * DAY }],
  ['40', { category: 'not_permitted', retry: 'after_change' }],
  ['41', { category: 'not_permitted', retry: 'after_change' }],
  ['do_not_try_again', { retry: 'never' }],
  ['try_again_later', { retry: 'allowed' }],
  ['confirm_card_data', { category: 'card_data_invalid', retry: 'after_change' }],
]);

/** The last resort, in this order. */
export const messagePatterns: readonly (readonly [RegExp, Category])[] = [
  [/\b(lost|stolen|fraud)/i, 'lost_stolen_fraud'],
  [/insufficient|not enough (funds|balance)/i, 'insufficient_funds'],
  [/expired|security code|cvc|cvv|incorrect number/i, 'card_data_invalid'],
  [/authenticat|3-?d ?secure/i, 'authentication_required'],
  [/time(d )?-?out|unavailable|network/i, 'network_error'],
  [/declin|do not honou?r/i, 'issuer_decline'],
];

/** Fewer retries than the policy allows, whatever it says. */
export const categoryRetryCaps: Readonly<Partial<Record<Category, number>>> = { issuer_risk: 1, unknown: 2 };
