import { credentialStream } from '../../events/credential.js';
import type { EventStore } from '../../events/eventStore.js';
import { deriveId, type OrgId } from '../../kernel/ids.js';
import type { CommandContext } from '../context.js';
import { handle, type Loaded } from '../handle.js';
import type { FailedData } from '../payment/state.js';
import { type CredentialCommand, credentialDecider } from './decide.js';
import type { Ledger } from './ledger.js';

/**
 * Names a credential at an acceptor: the account that an organization has with a gateway, and what the card is known
 * by there. A payment of which neither fingerprint nor method is told shares its credential with no other.
 */
export const credentialIdOf = (
  orgId: OrgId,
  { gateway, payment_method: method, transaction_ref }: FailedData,
): string => {
  const name =
    method?.fingerprint !== undefined
      ? ['fingerprint', method.fingerprint]
      : method?.id !== undefined
        ? ['method', method.id]
        : ['payment', transaction_ref];
  return deriveId('credential', orgId, gateway, ...name);
};

/** The attempts on a credential, as they were just read or extended. */
export interface Counted {
  readonly credentialId: string;
  readonly ledger: Loaded<Ledger>;
}

/** Gives a command on the attempts of a credential. */
export const onCredential = async (
  store: EventStore,
  credentialId: string,
  command: CredentialCommand,
  context: CommandContext,
): Promise<Counted> => {
  const ledger = await handle(store, credentialDecider, credentialStream(credentialId), command, context);
  return { credentialId, ledger };
};
