import type { AttemptOutcome, CredentialEvent, Initiator } from '../../events/credential.js';
import { DAY, HOUR, type Instant, latest } from '../../kernel/clock.js';
import type { Limit, NetworkLimits } from './networkLimits.js';

/** What a network counts an attempt by. */
export interface Charge {
  readonly amount: number;
  readonly currency: string;
  /** As `cardBrandOf` gives it; `unknown` when nobody told. */
  readonly brand: string;
  readonly initiator: Initiator;
}

export interface Entry extends Charge {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Not once the attempt succeeded. */
  readonly counted: boolean;
  readonly open: boolean;
}

/** Every attempt on one credential at one acceptor, ours and others', as far back as a limit looks. */
export interface Ledger {
  readonly entries: readonly Entry[];
  /** The attempt whose decline forbids any other. */
  readonly bannedBy?: string;
  /** A network wants no attempt before then. */
  readonly notBefore?: Instant;
  /** Other credentials that this one turned out to be, and whose attempts it has taken over. */
  readonly names: readonly string[];
  /** The one that this turned out to be: whatever comes goes there. */
  readonly linkedTo?: string;
}

export const emptyLedger: Ledger = { entries: [], names: [] };

/** Longer than any limit looks back. */
const KEPT = 200 * DAY;

export const attemptId = (recoveryId: string, attempt: number): string => `${recoveryId}:${attempt}`;

export const entryOf = (ledger: Ledger, id: string): Entry | undefined =>
  ledger.entries.find((entry) => entry.id === id);

/** No card that is charged by its owner alone has so many in 200 days. */
export const MAX_ENTRIES = 1000;

const newestOf = ({ entries }: Pick<Ledger, 'entries'>): number => Math.max(...entries.map(({ at }) => at));

/**
 * So many attempts by one name: a reporter's word for many cards, or a card that thieves try. Until none was told for 200
 * days, for only one a day is written down meanwhile.
 */
export const isFull = (ledger: Pick<Ledger, 'entries'>, at: number): boolean =>
  ledger.entries.length >= MAX_ENTRIES && at < newestOf(ledger) + KEPT;

/** Whether another attempt may be written down of a ledger that is full: the stream must stay short. */
export const hasRoom = (ledger: Ledger, at: number): boolean =>
  !isFull(ledger, at) || at >= newestOf(ledger) + DAY;

/** As if it had never been taken. */
export const withoutEntry = (ledger: Ledger, id: string): Ledger => ({
  ...ledger,
  entries: ledger.entries.filter((entry) => entry.id !== id),
});

/** Looked through only when there is something to drop. While it is full, it stays so. */
const withEntry = (ledger: Ledger, entry: Entry): Ledger => {
  const from = isFull(ledger, entry.at) ? -Infinity : entry.at - KEPT;
  const oldest = ledger.entries[0]?.at ?? entry.at;
  const drops = oldest <= from || entryOf(ledger, entry.id) !== undefined;
  const kept = drops ? ledger.entries.filter(({ id, at }) => id !== entry.id && at > from) : ledger.entries;
  return { ...ledger, entries: [...kept, entry] };
};

/** What was not made was never taken: the same attempt may take a slot again. */
const settledAs = (ledger: Ledger, id: string, outcome: AttemptOutcome): Ledger => {
  if (outcome === 'not_made') return withoutEntry(ledger, id);
  const index = ledger.entries.findIndex((entry) => entry.id === id);
  const entry = ledger.entries[index];
  if (entry === undefined) return ledger;
  const counted = outcome === 'declined' || outcome === 'unresolved';
  return { ...ledger, entries: ledger.entries.with(index, { ...entry, counted, open: false }) };
};

type DataOf<T extends CredentialEvent['type']> = Extract<CredentialEvent, { type: T }>['data'];

/** What one ledger takes over of another. */
export type Taken = Omit<DataOf<'AttemptsTakenOver'>, 'taken_over_at'>;

/** An attempt that is known already stays as it is. What is full stays so, on whichever side. */
export const withTaken = (ledger: Ledger, { from, attempts, banned_by, not_before }: Taken): Ledger => {
  const fresh = attempts
    .filter(({ id }) => entryOf(ledger, id) === undefined)
    .map(({ at, ...attempt }): Entry => ({ ...attempt, at: Date.parse(at) }));
  const entries = [...ledger.entries, ...fresh].sort((a, b) => a.at - b.at);
  const newest = entries.at(-1)?.at ?? 0;
  const staysFull = isFull(ledger, newest) || isFull({ entries: fresh }, newest);
  const bannedBy = ledger.bannedBy ?? banned_by;
  const notBefore = latest(ledger.notBefore, not_before);
  return {
    ...ledger,
    entries: staysFull ? entries : entries.filter(({ at }) => at > newest - KEPT),
    names: [...ledger.names, from],
    ...(bannedBy !== undefined && { bannedBy }),
    ...(notBefore !== undefined && { notBefore }),
  };
};

type Verdict = DataOf<'ExternalAttemptRecorded'>['verdict'];

const judged = (ledger: Ledger, id: string, { retry, earliest_at }: Verdict): Ledger => {
  const notBefore = latest(ledger.notBefore, earliest_at);
  return {
    ...ledger,
    ...(retry === 'never' && { bannedBy: ledger.bannedBy ?? id }),
    ...(notBefore !== undefined && { notBefore }),
  };
};

export const evolve = (ledger: Ledger, { type, data }: CredentialEvent): Ledger => {
  switch (type) {
    case 'AttemptReserved': {
      const { recovery_id, attempt, amount, currency, brand, initiator, reserved_at } = data;
      const charge = { amount, currency, brand, initiator };
      const id = attemptId(recovery_id, attempt);
      return withEntry(ledger, { id, ...charge, at: Date.parse(reserved_at), counted: true, open: true });
    }
    case 'AttemptSettled': {
      const id = attemptId(data.recovery_id, data.attempt);
      const settled = settledAs(ledger, id, data.outcome);
      return data.verdict === undefined ? settled : judged(settled, id, data.verdict);
    }
    case 'ExternalAttemptRecorded': {
      const { trigger_id: id, amount, currency, brand, initiator, attempted_at, verdict } = data;
      const charge = { amount, currency, brand, initiator };
      const entry = { id, ...charge, at: Date.parse(attempted_at), counted: true, open: false };
      return judged(withEntry(ledger, entry), id, verdict);
    }
    case 'CredentialLinked':
      return { ...ledger, linkedTo: data.to };
    case 'AttemptsTakenOver':
      return withTaken(ledger, data);
    default:
      return type satisfies never;
  }
};

export type Permit =
  | {
      readonly at: Instant;
      /** What makes the attempt wait, when it does. */
      readonly waitsFor?: string;
      /** Attempts that count, by the limit's name. */
      readonly used: Readonly<Record<string, number>>;
    }
  | { readonly refused: string };

export const limitsOf = (limits: NetworkLimits, brand: string): readonly Limit[] =>
  limits.brands[brand] ?? limits.others;

const isSame = (entry: Entry, charge: Charge, { same }: Limit): boolean =>
  (!same.includes('initiator') || entry.initiator === charge.initiator) &&
  (!same.includes('amount') || (entry.amount === charge.amount && entry.currency === charge.currency));

/** The instants of the attempts that a limit counts at `from`, in order. */
const countedAt = (ledger: Ledger, charge: Charge, limit: Limit, from: number): readonly number[] =>
  ledger.entries
    .filter((entry) => entry.counted && entry.at > from - limit.hours * HOUR && isSame(entry, charge, limit))
    .map(({ at }) => at)
    .sort((a, b) => a - b);

/** When so many of the counted attempts are out of the window that one more fits. */
const freeFrom = ({ hours, max }: Limit, counted: readonly number[], from: number): number => {
  const leaving = counted[counted.length - max];
  return leaving === undefined ? from : leaving + hours * HOUR;
};

const describe = ({ max, hours }: Limit): string =>
  `${max} attempts in ${hours % 24 === 0 && hours > 24 ? `${hours / 24} days` : `${hours} hours`}`;

const FULL =
  'so many attempts name this payment method that it is a word for many, or one under attack: nothing is charged by it ' +
  'before it is told by a name of its own, or no attempt has named it for 200 days';

/**
 * The earliest instant from `from` on at which every limit allows one more attempt. Counters are rolling: an attempt
 * leaves a window to the millisecond. They are of the credential, not of the recovery, the invoice or the policy.
 */
export const permitFor = (ledger: Ledger, charge: Charge, from: Instant, limits: NetworkLimits): Permit => {
  if (ledger.bannedBy !== undefined)
    return { refused: 'a decline of this payment method forbids every further attempt with it' };
  const wanted = Date.parse(from);
  if (isFull(ledger, wanted)) return { refused: FULL };
  const used: Record<string, number> = {};
  let at = wanted;
  let waitsFor: string | undefined;
  const wait = (until: number, why: string) => {
    if (until > at) [at, waitsFor] = [until, why];
  };
  if (ledger.notBefore !== undefined)
    wait(Date.parse(ledger.notBefore), 'the network wants no attempt with this payment method before');
  for (const limit of limitsOf(limits, charge.brand)) {
    const counted = countedAt(ledger, charge, limit, wanted);
    used[limit.name] = counted.length;
    wait(freeFrom(limit, counted, wanted), `the limit of ${describe(limit)} is reached`);
  }
  return { at: new Date(at).toISOString(), used, ...(waitsFor !== undefined && { waitsFor }) };
};
