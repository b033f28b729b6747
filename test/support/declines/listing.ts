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
network_code | ach unknown | R0* R1* R2* R3* R4* R5* R6* R7* R8* R9* | unknown | after_change
either | ach unknown | R01 R09 | insufficient_funds | allowed
either | ach unknown | R05 R07 R10 R29 | revoked | never
either | ach unknown | R02 R03 R04 R16 R20 | account_invalid | after_change
either | ach unknown | R24 | duplicate | after_change
either | ach unknown | R18 R19 R21 R25 R26 R27 | merchant_config | after_change
either | ach unknown | R06 R08 R11 R12 R13 R14 R15 R17 R22 R23 R28 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 | not_permitted | after_change
either | ach unknown | R40 R41 R42 R43 R44 R45 R46 R47 R50 R51 R52 R53 R61 R62 R67 R68 R69 | not_permitted | after_change
either | ach unknown | R70 R71 R72 R73 R74 R75 R76 R77 R80 R81 R82 R83 R84 R85 | not_permitted | after_change
either | ach unknown | R0* R1* R2* R3* R4* R5* R6* R7* R8* R9* | unknown | after_change

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

# Stripe error codes: all that its API names for a payment
code | all | card_decline_rate_limit_exceeded | velocity_limit | allowed | 24h
code | all | payment_intent_action_required payment_intent_authentication_failure setup_intent_authentication_failure | authentication_required | after_change
code | all | invoice_payment_intent_requires_action subscription_payment_intent_requires_action authentication_failure | authentication_required | after_change
code | all | payment_method_provider_timeout payment_method_not_available lock_timeout rate_limit | network_error | allowed
code | all | payment_intent_rate_limit_exceeded acss_debit_session_incomplete three_d_secure_authentication_upstream_error | network_error | allowed
code | all | forwarding_api_retryable_upstream_error forwarding_api_upstream_connection_error | network_error | allowed
code | all | forwarding_api_upstream_connection_timeout forwarding_api_upstream_error | network_error | allowed
code | all | idempotency_key_in_use | pending_unknown | after_change
code | all | payment_method_customer_decline payment_intent_payment_attempt_expired setup_intent_setup_attempt_expired | customer_abandoned | after_change
code | all | payment_method_provider_decline payment_intent_payment_attempt_failed setup_attempt_failed | issuer_decline | allowed
code | all | payment_intent_mandate_invalid setup_intent_mandate_invalid billing_invalid_mandate | revoked | never
code | all | india_recurring_payment_mandate_canceled | revoked | never
code | all | expired_payment_method incorrect_postal_code postal_code_invalid | card_data_invalid | after_change
code | all | payment_method_billing_details_address_missing | card_data_invalid | after_change
code | all | payment_method_microdeposit_failed payment_method_microdeposit_processing_error | not_permitted | after_change
code | all | payment_method_microdeposit_verification_amounts_invalid | not_permitted | after_change
code | all | payment_method_microdeposit_verification_amounts_mismatch | not_permitted | after_change
code | all | payment_method_microdeposit_verification_attempts_exceeded | not_permitted | after_change
code | all | payment_method_microdeposit_verification_descriptor_code_mismatch | not_permitted | after_change
code | all | payment_method_microdeposit_verification_timeout | not_permitted | after_change
code | all | payment_method_restricted payment_method_currency_mismatch payment_method_unsupported_type | not_permitted | after_change
code | all | payment_intent_incompatible_payment_method setup_intent_mobile_wallet_unsupported | not_permitted | after_change
code | all | three_d_secure_authentication_not_supported invalid_card_type invalid_source_usage | not_permitted | after_change
code | all | action_blocked request_blocked anomalous_money_movement_request | psp_blocked | after_change
code | all | charge_already_captured | duplicate | after_change
code | all | balance_insufficient charge_exceeds_source_limit charge_exceeds_transaction_limit | merchant_config | after_change
code | all | resource_missing payment_intent_unexpected_state setup_intent_unexpected_state payment_method_unexpected_state | merchant_config | after_change
code | all | intent_invalid_state | merchant_config | after_change
code | all | account_country_invalid_address account_error_country_change_requires_additional_steps | merchant_config | after_change
code | all | account_information_mismatch account_invalid account_token_required_for_v2_account alipay_upgrade_required | merchant_config | after_change
code | all | amount_too_large amount_too_small api_key_expired application_fees_not_allowed approval_required | merchant_config | after_change
code | all | balance_invalid_parameter bank_account_exists bitcoin_upgrade_required capability_not_active | merchant_config | after_change
code | all | capture_charge_authorization_expired capture_unauthorized_payment cardholder_phone_number_required | merchant_config | after_change
code | all | charge_already_refunded charge_disputed charge_expired_for_capture charge_invalid_parameter | merchant_config | after_change
code | all | charge_not_refundable clearing_code_unsupported country_code_invalid country_unsupported coupon_expired | merchant_config | after_change
code | all | customer_max_payment_methods customer_max_subscriptions customer_session_expired customer_tax_location_invalid | merchant_config | after_change
code | all | dispute_evidence_page_limit_exceeded email_invalid failed_tax_calculation | merchant_config | after_change
code | all | financial_account_balance_does_not_support_currency financial_account_capability_not_enabled | merchant_config | after_change
code | all | financial_account_capability_restricted financial_connections_account_inactive | merchant_config | after_change
code | all | financial_connections_account_pending_account_numbers | merchant_config | after_change
code | all | financial_connections_account_unavailable_account_numbers financial_connections_consent_locale_invalid | merchant_config | after_change
code | all | financial_connections_consent_locale_unsupported financial_connections_no_successful_transaction_refresh | merchant_config | after_change
code | all | forwarding_api_inactive forwarding_api_invalid_parameter instant_payouts_config_disabled | merchant_config | after_change
code | all | instant_payouts_currency_disabled instant_payouts_limit_exceeded instant_payouts_unsupported | merchant_config | after_change
code | all | intent_verification_method_missing invalid_canceled_subscription_fields invalid_characters | merchant_config | after_change
code | all | invalid_charge_amount invalid_mandate_reference_prefix_format invalid_tax_location | merchant_config | after_change
code | all | invoice_no_customer_line_items invoice_no_payment_method_types invoice_no_subscription_line_items | merchant_config | after_change
code | all | invoice_not_editable invoice_on_behalf_of_not_editable invoice_upcoming_none livemode_mismatch missing | merchant_config | after_change
code | all | not_allowed_on_standard_account out_of_inventory ownership_declaration_not_allowed parameter_invalid_empty | merchant_config | after_change
code | all | parameter_invalid_integer parameter_invalid_string_blank parameter_invalid_string_empty parameter_missing | merchant_config | after_change
code | all | parameter_unknown parameters_exclusive payment_evaluation_on_api_version_not_supported | merchant_config | after_change
code | all | payment_intent_invalid_parameter payment_intent_konbini_rejected_confirmation_number | merchant_config | after_change
code | all | payment_method_bank_account_already_verified payment_method_configuration_failures | merchant_config | after_change
code | all | payment_method_invalid_parameter payment_method_invalid_parameter_testmode payment_method_unactivated | merchant_config | after_change
code | all | payout_reconciliation_not_ready payouts_limit_exceeded payouts_not_allowed platform_account_required | merchant_config | after_change
code | all | platform_api_key_expired product_inactive progressive_onboarding_limit_exceeded refund_disputed_payment | merchant_config | after_change
code | all | resource_already_exists return_intent_already_processed secret_key_required | merchant_config | after_change
code | all | service_period_coupon_with_metered_tiered_item_unsupported setup_intent_invalid_parameter | merchant_config | after_change
code | all | shipping_address_invalid shipping_calculation_failed siret_invalid sku_inactive smart_disputes_not_available | merchant_config | after_change
code | all | state_unsupported status_transition_invalid storer_capability_missing storer_capability_not_active | merchant_config | after_change
code | all | stripe_tax_inactive subscription_update_trial_after_billing_cycle_anchor tax_id_invalid tax_id_prohibited | merchant_config | after_change
code | all | taxes_calculation_failed terminal_location_country_unsupported terminal_reader_busy | merchant_config | after_change
code | all | terminal_reader_hardware_fault terminal_reader_invalid_location_for_activation | merchant_config | after_change
code | all | terminal_reader_invalid_location_for_payment terminal_reader_offline terminal_reader_timeout | merchant_config | after_change
code | all | testmode_charges_only tls_version_unsupported token_already_used token_card_network_invalid token_in_use | merchant_config | after_change
code | all | transfer_source_balance_parameters_mismatch transfers_not_allowed url_invalid | merchant_config | after_change

# Stripe failure codes of bank debits, which come in either field
either | all | account_closed no_account account_number_invalid invalid_account_number routing_number_invalid | account_invalid | after_change
either | all | branch_does_not_exist bank_ownership_changed recipient_deceased | account_invalid | after_change
either | all | account_frozen bank_account_restricted bank_account_unusable payment_method_bank_account_blocked | account_invalid | after_change
either | all | debit_not_authorized authorization_revoked debit_disputed | revoked | never
either | all | debit_authorization_not_match bank_account_declined bank_account_bad_routing_numbers bank_account_unverified | not_permitted | after_change
either | all | bank_account_verification_failed sepa_unsupported_account | not_permitted | after_change
either | all | incorrect_account_holder_name incorrect_account_holder_address incorrect_account_holder_tax_id | card_data_invalid | after_change
either | all | account_holder_name_verification_failed | card_data_invalid | after_change
either | all | refer_to_customer generic_could_not_process could_not_process | issuer_decline | after_change

# Stripe decline codes of wallets and other local methods
either | all | partner_generic_decline | issuer_decline | allowed
either | all | partner_insufficient_funds | insufficient_funds | allowed
either | all | payment_limit_exceeded | velocity_limit | allowed
either | all | partner_processing_error | network_error | allowed
either | all | partner_expired_card expired_payment_information invalid_payment_information invalid_track_data | card_data_invalid | after_change
either | all | invalid_customer_account recurring_not_supported_by_bank partner_action_not_supported card_already_activated | not_permitted | after_change
either | all | payment_disputed | not_permitted | after_change
either | all | invalid_billing_agreement invalid_authorization | revoked | never
either | all | lost_or_stolen_card | lost_stolen_fraud | never
either | all | partner_high_risk_customer | psp_blocked | after_change
either | all | partner_invalid_currency partner_invalid_amount invalid_business_account | merchant_config | after_change
either | all | partner_payment_not_found | customer_abandoned | after_change
either | all | partner_duplicate_transaction | duplicate | after_change

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
