import type { AttemptOutcome, CredentialEvent } from '../../events/credential.js';
import type { RetryPermission } from '../../events/category.js';
import { type Instant, isBefore } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import type { Message } from '../../kernel/message.js';
import {
  attemptId,
  type Charge,
  emptyLedger,
  entryOf,
  evolve,
  hasRoom,
  type Ledger,
  permitFor,
  withoutEntry,
} from './ledger.js';
import { isOpen, type NetworkLimits } from './networkLimits.js';
import { link, type LinkCredential } from './link.js';

/** One attempt of one recovery. */
export interface AttemptRef {
  readonly recoveryId: string;
  readonly attempt: number;
}
export interface Verdict {
  readonly retry: RetryPermission;
  readonly earliest_at?: Instant;
}

export interface Reservation extends AttemptRef {
  /** Absent where the slot is only taken anew: it stays what it was taken for, whatever card the payment has now. */
  readonly charge?: Charge;
  readonly limits: NetworkLimits;
  readonly now: Instant;
}

export type ReserveAttempt = Message<'ReserveAttempt', Reservation>;
export type SettleAttempt = Message<
  'SettleAttempt',
  AttemptRef & {
    readonly outcome: AttemptOutcome;
    readonly verdict?: Verdict;
    /** Only the slot that was taken then, not one that was taken anew. */
    readonly reservedAt?: Instant;
    readonly now: Instant;
  }
>;
export type RecordExternalAttempt = Message<
  'RecordExternalAttempt',
  { readonly triggerId: string; readonly charge: Charge; readonly verdict: Verdict; readonly at: Instant }
>;
export type CredentialCommand = ReserveAttempt | SettleAttempt | RecordExternalAttempt | LinkCredential;

const stored = ({ retry, earliest_at }: Verdict) => ({
  retry,
  ...(earliest_at !== undefined && { earliest_at }),
});

/** Whether an attempt may be made now, as far as all other attempts go. */
const isFree = (
  ledger: Ledger,
  { recoveryId, attempt, limits, now }: Reservation,
  charge: Charge,
): boolean => {
  const others = withoutEntry(ledger, attemptId(recoveryId, attempt));
  const permit = permitFor(others, charge, now, limits);
  return !('refused' in permit) && !isBefore(now, permit.at) && isOpen(limits, charge.brand, now);
};

/**
 * Nothing where a limit is reached: whoever asked sees no reservation, and asks `permitFor` why. Asked
 * for again before it is settled, a slot is taken anew as of now: the charge may be made only now, and others have been
 * meanwhile.
 */
const reserve = ({ data }: ReserveAttempt, ledger: Ledger): CredentialEvent[] => {
  const { recoveryId: recovery_id, attempt, limits, now } = data;
  const known = entryOf(ledger, attemptId(recovery_id, attempt));
  if (known !== undefined && (!known.open || known.at >= Date.parse(now))) return [];
  const charge = data.charge ?? known;
  if (charge === undefined || !isFree(ledger, data, charge)) return [];
  const { amount, currency, brand, initiator } = charge;
  const { version: limits_version } = limits;
  const told = { amount, currency, brand, initiator, limits_version, reserved_at: now };
  return [{ type: 'AttemptReserved', data: { recovery_id, attempt, ...told } }];
};

const settle = ({ data }: SettleAttempt, ledger: Ledger): CredentialEvent[] => {
  const { recoveryId: recovery_id, attempt, outcome, verdict, reservedAt, now } = data;
  const entry = entryOf(ledger, attemptId(recovery_id, attempt));
  if (entry?.open !== true) return [];
  if (reservedAt !== undefined && entry.at !== Date.parse(reservedAt)) return [];
  const judged = verdict === undefined ? {} : { verdict: stored(verdict) };
  return [{ type: 'AttemptSettled', data: { recovery_id, attempt, outcome, ...judged, settled_at: now } }];
};

const record = ({ data }: RecordExternalAttempt, ledger: Ledger): CredentialEvent[] => {
  const { triggerId: trigger_id, charge, verdict, at: attempted_at } = data;
  const bans = verdict.retry === 'never' && ledger.bannedBy === undefined;
  if (entryOf(ledger, trigger_id) !== undefined) return [];
  if (!bans && !hasRoom(ledger, Date.parse(attempted_at))) return [];
  return [
    {
      type: 'ExternalAttemptRecorded',
      data: { trigger_id, ...charge, verdict: stored(verdict), attempted_at },
    },
  ];
};

/** Whether the slot of this attempt is taken as of now, and nothing has been told since that forbids the charge. */
export const isReserved = (ledger: Ledger, asked: Reservation): boolean => {
  const entry = entryOf(ledger, attemptId(asked.recoveryId, asked.attempt));
  return (
    entry?.open === true && entry.at >= Date.parse(asked.now) && isFree(ledger, asked, asked.charge ?? entry)
  );
};

/** Whether the answer to this attempt was a decline: asking for it again charges nothing. */
export const isDeclined = (ledger: Ledger, { recoveryId, attempt }: AttemptRef): boolean => {
  const entry = entryOf(ledger, attemptId(recoveryId, attempt));
  return entry?.open === false && entry.counted;
};

/**
 * The attempts on one credential, in a stream of their own: several recoveries charge one card, and only an append at
 * the revision read can keep two of them from taking the last slot. One that is
 * linked takes nothing any more.
 */
export const credentialDecider: Decider<Ledger, CredentialCommand, CredentialEvent> = {
  initialState: emptyLedger,
  evolve,
  decide: (command, ledger) => {
    if (ledger.linkedTo !== undefined) return [];
    switch (command.type) {
      case 'ReserveAttempt':
        return reserve(command, ledger);
      case 'SettleAttempt':
        return settle(command, ledger);
      case 'RecordExternalAttempt':
        return record(command, ledger);
      case 'LinkCredential':
        return link(command);
      default:
        return command satisfies never;
    }
  },
};
