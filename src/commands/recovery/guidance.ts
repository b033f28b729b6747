import { type Instant, HOUR } from '../../kernel/clock.js';
import type { Charge, Ledger } from '../credential/ledger.js';
import type { NetworkLimits } from '../credential/networkLimits.js';
import type { RuleFacts, RuleSet } from '../rules/match.js';
import type { RecoveryCase } from './state.js';

/** What of the payment's last failure a decision heeds. */
export interface Circumstances {
  /** As `cardBrandOf` gives it. */
  readonly brand: string;
  /** Of the customer, IANA. */
  readonly timezone?: string;
  /** Of the card's issuer, ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly segment?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What decides beside the recovery itself, as it stood when the decision was taken. */
export interface Guidance {
  readonly rules: RuleSet;
  readonly ledger: Ledger;
  readonly limits: NetworkLimits;
  readonly circumstances: Circumstances;
  /** The money is in, and the recovery will be told. */
  readonly paid?: true;
  /**
   * Revisions of the streams of the payment and the credential that were read, and of that of the method's id, where it
   * was read as well: the decision can be taken again.
   */
  readonly readAt: Readonly<Record<'payment' | 'credential', number>> & { readonly method?: number };
}

/** A retry of ours, as the networks count it. */
export const chargeOf = ({ cohort }: RecoveryCase, { brand }: Circumstances): Charge => ({
  amount: cohort.amount,
  currency: cohort.currency,
  brand,
  initiator: 'merchant',
});

/** What rules are asked with when the next step of a recovery is decided. */
export const ruleFactsOf = (
  { brand, country, segment, metadata }: Circumstances,
  { cohort, classification, attempts }: Pick<RecoveryCase, 'cohort' | 'classification' | 'attempts'>,
  now: Instant,
): RuleFacts => ({
  category: classification.category,
  hardness: classification.hardness,
  amount: cohort.amount,
  currency: cohort.currency,
  card_brand: brand,
  ...(country !== undefined && { country }),
  ...(segment !== undefined && { segment }),
  metadata,
  attempt: attempts + 1,
  hours_since_failure: Math.max(0, Date.parse(now) - Date.parse(cohort.opened_at)) / HOUR,
});
