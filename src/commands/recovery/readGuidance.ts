import { credentialStream } from '../../events/credential.js';
import type { EventStore } from '../../events/eventStore.js';
import { cardBrandOf } from '../../kernel/cardBrand.js';
import type { Instant } from '../../kernel/clock.js';
import type { OrgId } from '../../kernel/ids.js';
import { type Counted, credentialIdOf } from '../credential/attempts.js';
import { credentialDecider } from '../credential/decide.js';
import { limitsOn } from '../credential/networkLimits.js';
import { load, type Loaded } from '../handle.js';
import type { FailedData, Payment } from '../payment/state.js';
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
  const last = payment.state.status === 'unknown' ? undefined : payment.state.last;
  if (last === undefined) throw new Error('a payment that never failed has no recovery');
  const credentialId = credentialIdOf(orgId, last);
  const known = counted?.credentialId === credentialId ? counted.ledger : undefined;
  const [rules, attempts] = await Promise.all([
    rulesOf(orgId),
    known ?? load(store, credentialDecider, credentialStream(credentialId)),
  ]);
  return {
    rules,
    ledger: attempts.state,
    limits: limitsOn(now),
    circumstances: circumstancesOf(last),
    ...(payment.state.status === 'succeeded' && { paid: true }),
    readAt: { payment: revisionOf(payment), credential: revisionOf(attempts) },
  };
};
