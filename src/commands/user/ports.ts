/** What identity needs of the outside, beside the event store and the vault. */
export interface PasswordHasher {
  /** @throws DomainError `too_busy` when too many wait already */
  hash(password: string): Promise<string>;
  /** Takes the same time for every hash of the current cost. @throws DomainError `too_busy` */
  verify(password: string, hash: string): Promise<boolean>;
  /** A hash that no password meets, to spend a comparison on when there is nothing to compare with. */
  readonly decoy: string;
}
