import type { EventStore } from '../../events/eventStore.js';
import { recoveryStream } from '../../events/recovery.js';
import { type Instant, isBefore, plus, SECOND } from '../../kernel/clock.js';
import { type OrgId, paymentIdOf, type RecoveryId, recoveryIdOf } from '../../kernel/ids.js';
import { load } from '../handle.js';
import { recoveryDecider } from './decide.js';
import { isKnown, type KnownRecovery } from './state.js';

export interface PspReport {
  readonly transactionRef: string;
  readonly triggerId: string;
  /** The PSP's objects for the debt. */
  readonly references: Readonly<Record<string, string>>;
  /** To the second. */
  readonly occurredAt: Instant;
}

export interface Attribution {
  /** The answer to an attempt of ours that is still open. */
  readonly attempt?: { readonly recoveryId: RecoveryId; readonly attempt: number };
  /** It is known already, as the outcome of an attempt or a failure before. */
  readonly known: boolean;
  /** The page that our link led to is of this object. */
  readonly byLink: boolean;
}

const isOfAttempt = ({ open }: KnownRecovery, { references, occurredAt }: PspReport): boolean => {
  const charged = Object.entries(open?.charged?.references ?? {});
  const same = charged.some(([name, object]) => references[name] === object);
  return open !== undefined && same && isBefore(open.startedAt, plus(occurredAt, SECOND));
};

/**
 * Whose doing a report of the PSP is that names no request of ours. While an attempt of ours is open on an object, the
 * PSP takes no other charge of it: a decision that comes by itself is the answer.
 */
export const attributionOf = async (
  store: EventStore,
  orgId: OrgId,
  report: PspReport,
): Promise<Attribution> => {
  const recoveryId = recoveryIdOf(paymentIdOf(orgId, report.transactionRef));
  const { state } = await load(store, recoveryDecider, recoveryStream(recoveryId));
  if (state.status === 'none') return { known: false, byLink: false };
  const checkout = state.checkout?.reference;
  return {
    ...(state.open !== undefined &&
      isOfAttempt(state, report) && { attempt: { recoveryId, attempt: state.open.attempt } }),
    known: isKnown(state.triggers, report.triggerId),
    byLink: checkout !== undefined && Object.values(report.references).includes(checkout),
  };
};
