import type { Category, Classification } from '../../../events/recovery.js';

/** What each category means to a merchant, in a sentence. */
export const meanings: Readonly<Record<Category, string>> = {
  insufficient_funds: 'The account did not hold enough money; the same card often works some days later.',
  issuer_decline:
    'The bank refused without saying why; a later attempt may pass, or the customer asks the bank.',
  velocity_limit:
    'The card has reached a limit of its bank for the day or the month; it works again after that.',
  network_error: 'Something technical failed on the way to the bank; the same charge usually passes soon.',
  issuer_risk:
    'The bank suspects fraud; one late attempt at most makes sense, or the customer confirms the payment.',
  authentication_required:
    'The bank wants the customer to confirm this payment; no retry can do that for them.',
  card_data_invalid: 'The card has expired or its details are wrong; the customer has to correct them.',
  credential_changed: 'The card was replaced; it works again once its new details are on file.',
  account_invalid: 'The account behind the card is closed or not known; the customer needs another method.',
  lost_stolen_fraud: 'The bank has blocked this card for good; it must not be charged again.',
  revoked: 'The customer has withdrawn the permission for these charges; they must stop.',
  not_permitted: 'This card cannot be used for this kind of payment; the customer needs another method.',
  merchant_config:
    'The refusal is about your own set-up or this order, not the customer; please look into it.',
  psp_blocked: 'The payment provider blocked the payment by a rule or for its risk; please review it.',
  duplicate: 'The provider takes this for a repeated charge; look for the earlier one before charging again.',
  pending_unknown: 'The payment is not decided yet; another charge now could take the money twice.',
  customer_abandoned: 'The customer did not finish the payment; a new link lets them try again.',
  unknown: 'The code is not known to us; it is counted for review, and few careful attempts are made.',
};

/** What follows from a failure without a reason, where its codes say more than the category. */
const consequenceOf = ({ retry, evidence }: Classification): string => {
  if (retry === 'never') return 'the network or the provider forbids another attempt';
  if (retry === 'after_change') return 'another attempt is of no use before something changes';
  return evidence.step === 'advice_code'
    ? 'the network or the provider asks to wait before another attempt'
    : 'few careful attempts are made';
};

/** What a failure means to a merchant, in a sentence. */
export const meaningOf = (seen: Classification): string => {
  const { category, evidence } = seen;
  if (category !== 'unknown') return meanings[category];
  return evidence.unmapped === undefined
    ? `The codes tell no reason; ${consequenceOf(seen)}.`
    : `The code is not known to us; it is counted for review, and ${consequenceOf(seen)}.`;
};
