/** A failure of every category, as providers word them, and two that show what else decides. */
export interface Kind {
  readonly category: string;
  /** In a merchant's words. */
  readonly title: string;
  readonly failure: Readonly<Record<string, string>>;
}

const visa = (decline_code: string, network_code?: string) => ({
  code: 'card_declined',
  decline_code,
  card_brand: 'visa',
  ...(network_code !== undefined && { network_code }),
});

export const kinds: readonly Kind[] = [
  { category: 'insufficient_funds', title: 'no money', failure: visa('insufficient_funds', '51') },
  { category: 'issuer_decline', title: 'refused without reason', failure: visa('do_not_honor', '05') },
  { category: 'velocity_limit', title: 'card limit reached', failure: visa('card_velocity_exceeded', '65') },
  { category: 'network_error', title: 'technical failure', failure: visa('processing_error', '96') },
  { category: 'issuer_risk', title: 'suspected fraud', failure: visa('security_violation', '59') },
  {
    category: 'unknown',
    title: 'a code nobody knows',
    failure: { decline_code: 'e_4711', card_brand: 'visa' },
  },
  {
    category: 'authentication_required',
    title: 'confirmation wanted',
    failure: visa('authentication_required', '1A'),
  },
  { category: 'card_data_invalid', title: 'expired card', failure: visa('expired_card', '54') },
  {
    category: 'credential_changed',
    title: 'replaced card',
    failure: visa('new_account_information_available'),
  },
  {
    category: 'customer_abandoned',
    title: 'customer gave up',
    failure: { code: 'BAD_REQUEST_ERROR', decline_code: 'payment_cancelled' },
  },
  { category: 'account_invalid', title: 'closed account', failure: visa('invalid_account', '46') },
  { category: 'not_permitted', title: 'card not allowed', failure: visa('card_not_supported', '57') },
  { category: 'lost_stolen_fraud', title: 'stolen card', failure: visa('stolen_card', '43') },
  { category: 'revoked', title: 'permission withdrawn', failure: visa('revocation_of_authorization', 'R1') },
  { category: 'merchant_config', title: 'invalid amount', failure: visa('invalid_amount', '13') },
  { category: 'psp_blocked', title: 'blocked by the PSP', failure: visa('highest_risk_level') },
  { category: 'duplicate', title: 'charged twice?', failure: visa('duplicate_transaction', '94') },
  {
    category: 'pending_unknown',
    title: 'not decided yet',
    failure: { code: 'BAD_REQUEST_ERROR', decline_code: 'deemed_transaction' },
  },
];

/** What an organization has at first, with the hours of its customers and a payday of theirs besides. */
export const policyWith = (payday: number) => ({
  max_retries: 4,
  initial_delay_minutes: 1_440,
  backoff_multiplier: 2,
  max_delay_minutes: 10_080,
  enabled_channels: ['email'],
  categories: {
    insufficient_funds: { waits_minutes: [4_320, 4_320, 7_200, 10_080] },
    issuer_decline: { max_retries: 3, waits_minutes: [1_440, 2_880, 4_320] },
    velocity_limit: { max_retries: 3, waits_minutes: [1_440, 4_320, 10_080] },
    network_error: { waits_minutes: [60, 360, 1_440] },
    issuer_risk: { max_retries: 1, waits_minutes: [4_320] },
    unknown: { max_retries: 2, waits_minutes: [1_440, 4_320] },
  },
  payday_days: [payday],
  preferred_hours: { from: 9, to: 18 },
  quiet_hours: { from: 21, to: 8 },
  timezone: 'Europe/Berlin',
});

export const rule = {
  name: 'Large debts wait a week',
  conditions: { category: ['insufficient_funds'], currency: ['EUR'], amount: { at_least: 50_000 } },
  actions: { delay_minutes: 10_080, escalate: { reason: 'a large debt: give the customer a call' } },
};
