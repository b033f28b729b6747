export const categories = [
  'insufficient_funds',
  'issuer_decline',
  'velocity_limit',
  'network_error',
  'issuer_risk',
  'authentication_required',
  'card_data_invalid',
  'credential_changed',
  'account_invalid',
  'lost_stolen_fraud',
  'revoked',
  'not_permitted',
  'merchant_config',
  'psp_blocked',
  'duplicate',
  'pending_unknown',
  'customer_abandoned',
  'unknown',
] as const;
export type Category = (typeof categories)[number];

/** soft: may pass by itself · hard: will not with this method · needs_customer: only the customer can cure it. */
export const hardnesses = ['soft', 'hard', 'needs_customer'] as const;
export type Hardness = (typeof hardnesses)[number];

/** May the same method be charged again: never · after_change (of data, method or consent) · allowed. */
export const retryPermissions = ['never', 'after_change', 'allowed'] as const;
export type RetryPermission = (typeof retryPermissions)[number];
