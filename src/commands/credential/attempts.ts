import { type CredentialEvent, credentialStream } from '../../events/credential.js';
import type { EventStore } from '../../events/eventStore.js';
import type { Decider } from '../../kernel/decider.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { absent, handle, load, type Loaded } from '../handle.js';
import type { FailedData } from '../payment/state.js';
import { type CredentialCommand, credentialDecider } from './decide.js';
import { type Ledger, withTaken } from './ledger.js';
import { takenBy, takeOver, type TakeOver } from './link.js';

/** What a credential is named by; `also` its method's id, where the fingerprint behind it is told, too. */
export interface CardNames {
  readonly id: string;
  readonly also?: string;
}

/**
 * Names a credential at an acceptor: the account that an organization has with a gateway, and what the card is known
 * by there. A payment of which neither fingerprint nor method is told shares its credential with no other.
 */
export const namesOf = (
  orgId: OrgId,
  {
    gateway,
    payment_method: method,
    transaction_ref,
  }: Pick<FailedData, 'gateway' | 'payment_method' | 'transaction_ref'>,
): CardNames => {
  const named = (...name: string[]) => deriveId('credential', orgId, gateway, ...name);
  const byMethod = method?.id === undefined ? undefined : named('method', method.id);
  if (method?.fingerprint === undefined) return { id: byMethod ?? named('payment', transaction_ref) };
  const id = named('fingerprint', method.fingerprint);
  return byMethod === undefined ? { id } : { id, also: byMethod };
};

/** The attempts on a credential, as they were just read or extended. */
export interface Counted {
  /** Where they are, whatever it was asked for by. */
  readonly credentialId: string;
  readonly ledger: Loaded<Ledger>;
  /** Of its method's id, where that was read as well. */
  readonly other?: Loaded<Ledger>;
}

type Read = (credentialId: string) => Promise<Loaded<Ledger>>;
const readerOf =
  (store: EventStore): Read =>
  (id) =>
    load(store, credentialDecider, credentialStream(id));

/** Whether these are all the attempts on what is named so. */
export const isOf = ({ credentialId, ledger }: Counted, { id, also }: CardNames): boolean =>
  credentialId === id && (also === undefined || ledger.state.names.includes(also));

/** @returns `missing`, a name by which the ledger does not know itself yet */
const find = async (
  read: Read,
  { id, also }: CardNames,
  other?: Loaded<Ledger>,
): Promise<Counted & { readonly missing?: string }> => {
  const ledger = await read(id);
  const { linkedTo, names } = ledger.state;
  if (linkedTo !== undefined) return find(read, { id: linkedTo, also: id }, ledger);
  const found = { credentialId: id, ledger, ...(other && { other }) };
  return also === undefined || names.includes(also) ? found : { ...found, missing: also };
};

/** The attempts on a card under all its names, as they would be taken over. */
export const attemptsBy = async (read: Read, names: CardNames): Promise<Counted> => {
  const { missing, ...found } = await find(read, names);
  if (missing === undefined) return found;
  const other = found.other ?? (await read(missing));
  const { credentialId: id, ledger } = found;
  const taken = takenBy(ledger.state, { id, from: missing, closed: other.state });
  return { ...found, other, ledger: { ...ledger, state: withTaken(ledger.state, taken) } };
};

/** Nothing is appended. */
export const attemptsOn = (store: EventStore, names: CardNames): Promise<Counted> =>
  attemptsBy(readerOf(store), names);

/** Closes the ledger of a name. It is likely new: the id and the fingerprint are mostly told together. */
const closedFor = async (
  store: EventStore,
  id: string,
  from: string,
  context: CommandContext,
): Promise<TakeOver> => {
  const { now } = context;
  const command = { type: 'LinkCredential', data: { to: id, now } } as const;
  const { state } = await handle(
    store,
    credentialDecider,
    credentialStream(from),
    command,
    { ...context, commandId: deriveId('link', context.commandId, from) },
    { from: absent(credentialDecider) },
  );
  return { id, from, closed: state, now };
};

/** Takes over in the same append: no other command sees a ledger that lacks what is to be taken. */
const takingOver = (taking?: TakeOver): Decider<Ledger, CredentialCommand, CredentialEvent> => ({
  ...credentialDecider,
  decide: (command, ledger) => {
    const taken = taking === undefined ? [] : takeOver(taking, ledger);
    return [...taken, ...credentialDecider.decide(command, taken.reduce(credentialDecider.evolve, ledger))];
  },
});

/** Gives a command on the attempts of a card, by whichever names it is told of. */
export const onCredential = async (
  store: EventStore,
  names: CardNames,
  command: CredentialCommand,
  context: CommandContext,
): Promise<Counted> => {
  const { credentialId, ledger: from, missing } = await find(readerOf(store), names);
  const taking = missing === undefined ? undefined : await closedFor(store, credentialId, missing, context);
  const stream = credentialStream(credentialId);
  const ledger = await handle(store, takingOver(taking), stream, command, context, { from });
  const linkedMeanwhile = ledger.state.linkedTo !== undefined;
  return linkedMeanwhile
    ? onCredential(store, { id: credentialId }, command, context)
    : { credentialId, ledger };
};
