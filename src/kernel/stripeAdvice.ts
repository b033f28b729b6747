const NEVER_BY_NETWORK = ['03', '21'];

/**
 * Stripe gives two kinds of advice, its own words (`do_not_try_again`, `try_again_later`, `confirm_card_data`) and the
 * network's two digits (Mastercard's merchant advice code); a Failure has room for one. The stricter wins; otherwise
 * the network's, which says more.
 */
export const strictestAdvice = (
  adviceCode: string | undefined,
  networkAdviceCode: string | undefined,
): string | undefined =>
  adviceCode === 'do_not_try_again' && !NEVER_BY_NETWORK.includes(networkAdviceCode ?? '')
    ? adviceCode
    : (networkAdviceCode ?? adviceCode);
