import { cardBrandOf } from './cardBrand.js';
import { type Json, objectOf } from './json.js';

/** The part of a Stripe payment method, or of a charge's `payment_method_details`, that is named like its type. */
export const instrumentOf = (method: unknown): Json | undefined => {
  const said = objectOf(method);
  const type = said?.['type'];
  return (typeof type === 'string' ? objectOf(said?.[type]) : undefined) ?? objectOf(said?.['card']);
};

/** The network of a card. A bank debit has none, but some are a rail of their own: `us_bank_account` is `ach`. */
export const brandOfMethod = (method: unknown): string | undefined => {
  const brand = instrumentOf(method)?.['brand'];
  if (typeof brand === 'string') return brand;
  const type = objectOf(method)?.['type'];
  const rail = cardBrandOf(typeof type === 'string' ? { card_brand: type } : {});
  return rail === 'unknown' ? undefined : rail;
};
