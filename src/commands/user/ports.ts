import type { EventStore } from '../../events/eventStore.js';
import type { Logger } from '../../kernel/logger.js';
import type { Vault } from '../../kernel/ports.js';

export interface PasswordHasher {
  /** @throws DomainError `too_busy` when too many wait already */
  hash(password: string): Promise<string>;
  /** Takes the same time for every hash of the current cost. @throws DomainError `too_busy` */
  verify(password: string, hash: string): Promise<boolean>;
  /** A hash that no password meets, to spend a comparison on when there is nothing to compare with. */
  readonly decoy: string;
}

/** What the commands on users need of the outside. */
export interface IdentityDeps {
  readonly store: EventStore;
  readonly vault: Vault;
  readonly hasher: PasswordHasher;
  /** Names users by their address (kernel/ids.ts userIdOf). */
  readonly identityKey: Buffer;
  readonly logger: Logger;
  /** Told after every append to a user's stream: sessions of this process drop what they know of the user. */
  readonly userChanged: (userId: string) => void;
}
