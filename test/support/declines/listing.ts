/**
 * What every code must mean, written from the networks' and the PSPs' own lists and not from the tables it tests:
 * `field | brands | codes | category | permission`, then what else a line says: `24h`, `source=…`, `step=…`.
 */
import { type CardBrand, cardBrands } from '../../../src/kernel/cardBrand.js';
import type { Category, RetryPermission } from '../../../src/events/recovery.js';
import type { CodeField } from '../../../src/commands/recovery/classification/tableFile.js';

const LISTING = `
# Mastercard merchant advice codes
advice_code | mastercard unknown | 01 | credential_changed | after_change
advice_code | mastercard unknown | 02 | unknown | allowed
advice_code | mastercard unknown | 03 | unknown | never
advice_code | mastercard unknown | 04 22 | not_permitted | after_change
advice_code | mastercard unknown | 21 | revoked | never
advice_code | mastercard unknown | 24 | unknown | allowed | 1h
advice_code | mastercard unknown | 25 | unknown | allowed | 24h
advice_code | mastercard unknown | 26 | unknown | allowed | 48h
advice_code | mastercard unknown | 27 | unknown | allowed | 96h
advice_code | mastercard unknown | 28 | unknown | allowed | 144h
advice_code | mastercard unknown | 29 | unknown | allowed | 192h
advice_code | mastercard unknown | 30 | unknown | allowed | 240h
advice_code | mastercard unknown | 40 | not_permitted | after_change
advice_code | mastercard unknown | 41 | not_permitted | never

# Stripe advice codes
advice_code | all | do_not_try_again | unknown | never
advice_code | all | try_again_later | unknown | allowed
advice_code | all | confirm_card_data | card_data_invalid | after_change

# Visa, by category: 1 is never, 2 and 4 as the category of ours has it, 3 after a correction
network_code | visa unknown | 04 07 41 43 | lost_stolen_fraud | never
network_code | visa unknown | 14 | card_data_invalid | never
network_code | visa unknown | 15 46 | account_invalid | never
network_code | visa unknown | 12 57 | not_permitted | never
network_code | visa unknown | R0 R1 R3 | revoked | never
network_code | visa unknown | 51 | insufficient_funds | allowed
network_code | visa unknown | 61 65 N4 | velocity_limit | allowed
network_code | visa unknown | 91 96 19 06 22 30 31 92 | network_error | allowed
network_code | visa unknown | 59 | issuer_risk | allowed
network_code | visa | 83 | issuer_risk | allowed
network_code | visa unknown | 62 78 93 5C 9G N3 | not_permitted | after_change
network_code | visa unknown | 03 | merchant_config | after_change
network_code | visa unknown | 39 52 53 | account_invalid | after_change
network_code | visa unknown | 75 86 55 70 | card_data_invalid | after_change
network_code | visa unknown | 54 82 N7 6P | card_data_invalid | after_change
network_code | visa unknown | 1A | authentication_required | after_change
network_code | visa unknown | 05 01 02 21 | issuer_decline | allowed
network_code | visa unknown | 13 Z5 | merchant_config | after_change
network_code | visa unknown | 58 | not_permitted | after_change
network_code | visa unknown | 63 | issuer_risk | allowed
network_code | visa unknown | 94 | duplicate | after_change

# Mastercard's own, and the stricter of two readings where the brand is not told
network_code | mastercard | 79 | credential_changed | after_change
network_code | mastercard | 82 | not_permitted | after_change
network_code | mastercard | 83 | issuer_risk | after_change
network_code | unknown | 79 | credential_changed | after_change
network_code | unknown | 83 | issuer_risk | after_change

# ISO 8583 for the other networks
network_code | others | 04 07 41 43 | lost_stolen_fraud | never
network_code | others | 14 | card_data_invalid | after_change
network_code | others | 15 46 39 52 53 | account_invalid | after_change
network_code | others | 12 57 62 78 93 5C 9G N3 58 | not_permitted | after_change
network_code | others | R0 R1 R3 | revoked | never
network_code | others | 51 | insufficient_funds | allowed
network_code | others | 61 65 N4 | velocity_limit | allowed
network_code | others | 91 96 19 06 22 30 31 92 | network_error | allowed
network_code | others | 59 63 | issuer_risk | allowed
network_code | others | 03 13 Z5 | merchant_config | after_change
network_code | others | 75 86 55 70 54 N7 6P | card_data_invalid | after_change
network_code | others | 1A | authentication_required | after_change
network_code | others | 05 01 02 21 | issuer_decline | allowed
network_code | others | 94 | duplicate | after_change

# Namesakes in ISO 8583, of every network
network_code | all | 33 38 | card_data_invalid | after_change
network_code | all | 34 | lost_stolen_fraud | never
network_code | all | 36 | not_permitted | after_change
network_code | all | 42 44 56 | account_invalid | after_change

# ACH return codes, which come in any field
network_code | ach unknown | R01 R09 | insufficient_funds | allowed
network_code | ach unknown | R05 R07 R10 R29 | revoked | never
network_code | ach unknown | R02 R03 R04 R16 R20 | account_invalid | after_change
network_code | ach unknown | R24 | duplicate | after_change
network_code | ach unknown | R18 R19 R21 R25 R26 R27 | merchant_config | after_change
network_code | ach unknown | R06 R08 R11 R12 R13 R14 R15 R17 R22 R23 R28 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 | not_permitted | after_change
network_code | ach unknown | R40 R41 R42 R43 R44 R45 R46 R47 R50 R51 R52 R53 R61 R62 R67 R68 R69 | not_permitted | after_change
network_code | ach unknown | R70 R71 R72 R73 R74 R75 R76 R77 R80 R81 R82 R83 R84 R85 | not_permitted | after_change
network_code | ach | R0* R1* R2* R3* R4* R5* R6* R7* R8* R9* | unknown | after_change
either | ach unknown | R01 R09 | insufficient_funds | allowed
either | ach unknown | R05 R07 R10 R29 | revoked | never
either | ach unknown | R02 R03 R04 R16 R20 | account_invalid | after_change
either | ach unknown | R24 | duplicate | after_change
either | ach unknown | R18 R19 R21 R25 R26 R27 | merchant_config | after_change
either | ach unknown | R06 R08 R11 R12 R13 R14 R15 R17 R22 R23 R28 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 | not_permitted | after_change
either | ach unknown | R40 R41 R42 R43 R44 R45 R46 R47 R50 R51 R52 R53 R61 R62 R67 R68 R69 | not_permitted | after_change
either | ach unknown | R70 R71 R72 R73 R74 R75 R76 R77 R80 R81 R82 R83 R84 R85 | not_permitted | after_change
either | ach | R0* R1* R2* R3* R4* R5* R6* R7* R8* R9* | unknown | after_change

# Stripe decline codes, which also come as the error code
either | all | insufficient_funds | insufficient_funds | allowed
either | all | card_velocity_exceeded withdrawal_count_limit_exceeded | velocity_limit | allowed
either | all | generic_decline do_not_honor call_issuer no_action_taken try_again_later | issuer_decline | allowed
either | all | approve_with_id reenter_transaction processing_error issuer_not_available | network_error | allowed
either | all | security_violation | issuer_risk | allowed
either | all | authentication_required authentication_not_handled mobile_device_authentication_required | authentication_required | after_change
either | all | offline_pin_required online_or_offline_pin_required incorrect_pin invalid_pin pin_try_exceeded | card_data_invalid | after_change
either | all | expired_card incorrect_cvc invalid_cvc incorrect_zip incorrect_address | card_data_invalid | after_change
either | all | invalid_expiry_month invalid_expiry_year invalid_number incorrect_number | card_data_invalid | after_change
either | all | new_account_information_available | credential_changed | after_change
either | all | invalid_account | account_invalid | after_change
either | all | lost_card stolen_card pickup_card fraudulent | lost_stolen_fraud | never
either | all | restricted_card | not_permitted | after_change
either | all | stop_payment_order revocation_of_authorization revocation_of_all_authorizations | revoked | never
either | all | do_not_try_again | issuer_decline | never
either | all | transaction_not_allowed card_not_supported currency_not_supported not_permitted service_not_allowed | not_permitted | after_change
either | all | invalid_amount testmode_decline | merchant_config | after_change
either | all | merchant_blacklist highest_risk_level rule low_probability_of_authorization | psp_blocked | after_change
either | all | duplicate_transaction | duplicate | after_change

# Stripe error codes
code | all | card_decline_rate_limit_exceeded | velocity_limit | allowed | 24h
code | all | payment_intent_authentication_failure | authentication_required | after_change
code | all | payment_method_provider_timeout lock_timeout rate_limit | network_error | allowed
code | all | payment_method_customer_decline | customer_abandoned | after_change
code | all | payment_method_provider_decline | issuer_decline | allowed
code | all | bank_account_unusable account_closed account_number_invalid | account_invalid | after_change
code | all | debit_not_authorized payment_intent_mandate_invalid india_recurring_payment_mandate_canceled | revoked | never
code | all | expired_payment_method | card_data_invalid | after_change
code | all | balance_insufficient resource_missing payment_intent_unexpected_state | merchant_config | after_change

# What this product says of itself
either | all | psp_not_connected psp_not_authorized no_payment_reference payment_intent_canceled invoice_void invoice_uncollectible invalid_request | merchant_config | after_change
either | all | processing | pending_unknown | after_change

# Razorpay
either | all | credit_limit_exceeded funds_blocked_by_mandate | insufficient_funds | allowed
either | all | transaction_limit_exceeded transaction_daily_limit_exceeded transaction_frequency_limit_exceeded | velocity_limit | allowed | 24h
either | all | pin_attempts_exceeded otp_attempts_exceeded | velocity_limit | allowed | 24h
either | all | bank_technical_error gateway_technical_error issuer_technical_error upi_app_technical_error | network_error | allowed
either | all | bank_not_available bank_cutoff_in_progress server_error invalid_response_from_gateway | network_error | allowed
either | all | duplicate_rrn_found credit_failed capture_failed | network_error | allowed
either | all | payment_failed card_declined payment_declined debit_declined authorisation_declined_by_psp | issuer_decline | allowed
either | all | payment_risk_check_failed compliance_violation | psp_blocked | after_change
either | all | payment_risk_check_failed compliance_violation | issuer_risk | after_change | source=issuer_bank
either | all | payment_risk_check_failed compliance_violation | psp_blocked | after_change | source=business
either | all | authentication_failed | authentication_required | after_change
either | all | incorrect_otp otp_expired pin_not_set payment_timed_out payment_cancelled payment_collect_request_expired | customer_abandoned | after_change
either | all | incorrect_pin | customer_abandoned | after_change | step=payment_authentication
either | all | collect_request_pending deemed_transaction payment_pending_approval | pending_unknown | after_change
either | all | card_expired incorrect_cvv incorrect_card_details incorrect_card_expiry_date card_number_invalid | card_data_invalid | after_change
either | all | invalid_vpa vpa_resolution_failed | card_data_invalid | after_change
either | all | debit_instrument_blocked debit_instrument_inactive bank_account_invalid transaction_on_vpa_restricted | account_invalid | after_change
either | all | card_not_enrolled card_disabled_for_online_payments international_transaction_not_allowed | not_permitted | after_change
either | all | card_type_invalid upi_autopay_not_supported_on_psp user_not_eligible | not_permitted | after_change
either | all | mandate_creation_declined mandate_creation_expired mandate_creation_failed mandate_creation_timeout | revoked | never
either | all | merchant_not_activated *_not_enabled invalid_currency order_amount_mismatch input_validation_failed | merchant_config | after_change
either | all | order_already_paid duplicate_request | duplicate | after_change
either | all | BAD_REQUEST_ERROR GATEWAY_ERROR SERVER_ERROR | unknown | allowed

# The first version of the product
either | all | issuer_declined | issuer_decline | allowed
either | all | transaction_not_permitted | not_permitted | after_change
either | all | otp_timeout 3ds_timeout | customer_abandoned | after_change
either | all | RZP_UPI_INVALID_VPA | card_data_invalid | after_change
either | all | RZP_CARD_BLOCKED | account_invalid | after_change
either | all | network_error RZP_NETWORK_ISSUE | network_error | allowed
either | all | RZP001_* | insufficient_funds | allowed
either | all | upi_pending | pending_unknown | after_change
`;

export interface Listed {
  readonly field: CodeField;
  readonly brand: CardBrand;
  readonly code: string;
  readonly category: Category;
  readonly retry: RetryPermission;
  readonly hours: number | undefined;
  readonly source: string | undefined;
  readonly step: string | undefined;
}

const brandsOf = (said: string): readonly CardBrand[] => {
  if (said === 'all') return cardBrands;
  if (said === 'others') return cardBrands.filter((brand) => brand !== 'visa' && brand !== 'unknown');
  return said.split(' ') as CardBrand[];
};

const linesOf = (line: string): Listed[] => {
  const [field = '', brands = '', codes = '', category, retry, rest = ''] = line.split(' | ');
  const extra = (name: RegExp): string | undefined => name.exec(rest)?.[1];
  const hours = extra(/^(\d+)h$/);
  const said = {
    category: category as Category,
    retry: retry as RetryPermission,
    hours: hours === undefined ? undefined : Number(hours),
    source: extra(/^source=(.+)$/),
    step: extra(/^step=(.+)$/),
  };
  const fields = (field === 'either' ? ['decline_code', 'code'] : [field]) as CodeField[];
  return fields.flatMap((each) =>
    brandsOf(brands).flatMap((brand) =>
      codes.split(' ').map((code) => ({ field: each, brand, code, ...said })),
    ),
  );
};

/** Of the tables of 2026-11-29. */
export const listing: readonly Listed[] = LISTING.split('\n')
  .filter((line) => line.includes(' | '))
  .flatMap(linesOf);
