import type { EventStore } from '../../events/eventStore.js';
import { cardBrandOf } from '../../kernel/cardBrand.js';
import type { Instant } from '../../kernel/clock.js';
import type { OrgId } from '../../kernel/ids.js';
import { attemptsOn, type Counted, isOf, namesOf } from '../credential/attempts.js';
import { limitsOn } from '../credential/networkLimits.js';
import type { Loaded } from '../handle.js';
import type { FailedData, Payment } from '../payment/state.js';
import type { RuleSet } from '../rules/match.js';
import type { RulesReader } from '../rules/reader.js';
import type { Circumstances, Guidance } from './guidance.js';

export interface GuidanceSources {
  readonly store: EventStore;
  /** An organization's rules as they are now. */
  readonly rulesOf: RulesReader;
}

export const circumstancesOf = (failed: FailedData): Circumstances => {
  const { customer, payment_method: method, metadata = {} } = failed;
  return {
    brand: cardBrandOf(failed.failure),
    ...(customer.timezone !== undefined && { timezone: customer.timezone }),
    ...(method?.country !== undefined && { country: method.country }),
    ...(customer.segment !== undefined && { segment: customer.segment }),
    metadata,
  };
};

const revisionOf = ({ revision }: Loaded<unknown>): number =>
  revision === 'no_stream' ? -1 : Number(revision);

const attemptsRead = ({ ledger, other }: Counted) => ({
  credential: revisionOf(ledger),
  ...(other !== undefined && { method: revisionOf(other) }),
});

const lastOf = ({ state }: Loaded<Payment>): FailedData => {
  const last = state.status === 'unknown' ? undefined : state.last;
  if (last === undefined) throw new Error('a payment that never failed has no recovery');
  return last;
};

/** @throws Error when no failure of the payment is recorded: there is nothing to decide */
export const guidanceOf = (
  payment: Loaded<Payment>,
  rules: RuleSet,
  attempts: Counted,
  now: Instant,
): Guidance => ({
  rules,
  ledger: attempts.ledger.state,
  limits: limitsOn(now),
  circumstances: circumstancesOf(lastOf(payment)),
  ...(payment.state.status === 'succeeded' && { paid: true }),
  readAt: { payment: revisionOf(payment), ...attemptsRead(attempts) },
});

/**
 * Everything a decision heeds beside the recovery's own stream, read now.
 * @param counted attempts that are at hand: heeded where they are those on the credential that the payment has now
 * @throws Error when no failure of the payment is recorded: there is nothing to decide
 */
export const readGuidance = async (
  { store, rulesOf }: GuidanceSources,
  orgId: OrgId,
  payment: Loaded<Payment>,
  now: Instant,
  counted?: Counted,
): Promise<Guidance> => {
  const names = namesOf(orgId, lastOf(payment));
  const known = counted !== undefined && isOf(counted, names) ? counted : undefined;
  const [rules, attempts] = await Promise.all([rulesOf(orgId), known ?? attemptsOn(store, names)]);
  return guidanceOf(payment, rules, attempts, now);
};
