import type { CredentialEvent } from '../../events/credential.js';
import type { Instant } from '../../kernel/clock.js';
import type { Message } from '../../kernel/message.js';
import { emptyLedger, type Entry, hasRoom, isFull, type Ledger, type Taken } from './ledger.js';

/*
 * One card, two names: the id of a payment method, and the fingerprint behind it, which is not told of every payment.
 * The first time that both are told, the ledger of the id is closed, and that of the fingerprint takes its attempts
 * over. Closed first: whoever comes by the id alone meanwhile finds the link, and takes over what was not yet.
 */

export type LinkCredential = Message<'LinkCredential', { readonly to: string; readonly now: Instant }>;

/** The ledger of another name, as it was closed. */
export interface TakeOver {
  readonly id: string;
  readonly from: string;
  readonly closed: Ledger;
  readonly now: Instant;
}

/** The first link stays: an id that is told with another fingerprint later is a word for several cards. */
export const link = ({ data: { to, now } }: LinkCredential): CredentialEvent[] => [
  { type: 'CredentialLinked', data: { to, linked_at: now } },
];

const told = ({ id, amount, currency, brand, initiator, at, counted, open }: Entry) => ({
  id,
  amount,
  currency,
  brand,
  initiator,
  at: new Date(at).toISOString(),
  counted,
  open,
});

/** Of what is full, only what may still change something. Attempts that went to another card stay there. */
export const takenBy = (ledger: Ledger, { id, from, closed }: Omit<TakeOver, 'now'>): Taken => {
  const { linkedTo = id } = closed;
  const { entries, bannedBy, notBefore } = linkedTo === id ? closed : emptyLedger;
  return {
    from,
    attempts: entries.filter(({ at, open }) => open || hasRoom(ledger, at)).map(told),
    ...(bannedBy !== undefined && { banned_by: bannedBy }),
    ...(notBefore !== undefined && { not_before: notBefore }),
  };
};

/** Also where there are none, so that the name is known. */
export const takeOver = (taking: TakeOver, ledger: Ledger): CredentialEvent[] => {
  if (ledger.names.includes(taking.from)) return [];
  const taken = takenBy(ledger, taking);
  const isNews =
    taken.attempts.length > 0 || (taken.banned_by !== undefined && ledger.bannedBy === undefined);
  if (!isNews && isFull(ledger, Date.parse(taking.now))) return [];
  return [{ type: 'AttemptsTakenOver', data: { ...taken, taken_over_at: taking.now } }];
};
