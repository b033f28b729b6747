import { HOUR } from '../../../src/kernel/clock.js';
import type { Failure } from '../../../src/kernel/ports.js';

/**
 * What a decline means for the next charge, by the networks' and the PSPs' documents: not as the code reads it.
 * soft: another may work · change: not this payment before something changes · dead: no payment of this card.
 */
export interface Answer {
  readonly failure: Failure;
  readonly means: 'soft' | 'change' | 'dead';
  /** Milliseconds that the network wants to pass. */
  readonly wait?: number;
  readonly by?: 'customer';
}

const by = (means: Answer['means'], ...codes: string[]): Answer[] =>
  codes.map((decline_code) => ({ failure: { decline_code }, means }));

const anywhere: readonly Answer[] = [
  ...by('soft', 'insufficient_funds', 'generic_decline', 'do_not_honor', 'card_velocity_exceeded'),
  ...by('soft', 'processing_error', 'security_violation', 'a_code_of_next_year'),
  ...by('change', 'expired_card', 'incorrect_cvc', 'authentication_required', 'card_not_supported'),
  ...by('change', 'highest_risk_level', 'testmode_decline', 'duplicate_transaction'),
  ...by('dead', 'stolen_card', 'lost_card', 'pickup_card', 'fraudulent', 'invalid_account'),
  ...by('dead', 'stop_payment_order', 'revocation_of_authorization', 'do_not_try_again'),
  { failure: { decline_code: 'generic_decline', advice_code: 'do_not_try_again' }, means: 'dead' },
  { failure: { code: 'card_decline_rate_limit_exceeded' }, means: 'soft', wait: 24 * HOUR },
  { failure: { code: 'payment_cancelled' }, means: 'change', by: 'customer' },
];

/** Merchant advice codes 24 to 30. */
const waits: Readonly<Record<string, number>> = {
  24: HOUR,
  25: 24 * HOUR,
  26: 48 * HOUR,
  27: 96 * HOUR,
  28: 144 * HOUR,
  29: 192 * HOUR,
  30: 240 * HOUR,
};
const advised = (advice_code: string): Failure => ({ decline_code: 'insufficient_funds', advice_code });

const ofNetwork: Readonly<Record<string, readonly Answer[]>> = {
  visa: [
    ...['04', '07', '41', '43', '14', '15', '46', '12', '57', 'R0', 'R1', 'R3'].map(
      (network_code): Answer => ({ failure: { network_code }, means: 'dead' }),
    ),
    ...['51', '61', '91', '05'].map((network_code): Answer => ({ failure: { network_code }, means: 'soft' })),
  ],
  mastercard: [
    ...Object.entries(waits).map(([code, wait]): Answer => ({ failure: advised(code), means: 'soft', wait })),
    ...['03', '21'].map((code): Answer => ({ failure: advised(code), means: 'dead' })),
    { failure: advised('01'), means: 'change' },
  ],
};

const soft = anywhere.filter(({ means, wait }) => means === 'soft' && wait === undefined);

const drawn = (more: readonly Answer[] = []): readonly Answer[] => {
  const all = [...anywhere, ...more];
  const often = Array.from({ length: 20 }, () => soft).flat();
  const waiting = all.filter(({ wait }) => wait !== undefined);
  return [...often, ...all, ...waiting, ...waiting];
};
const elsewhere = drawn();
const known = new Map(Object.entries(ofNetwork).map(([brand, more]) => [brand, drawn(more)]));

/** Declines that a card of this brand may get; soft ones most of the time, or nothing would ever be retried. */
export const answersOf = (brand: string): readonly Answer[] => known.get(brand) ?? elsewhere;
