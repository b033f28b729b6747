import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import { Limiter, type Limits } from './limiter.js';

const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const DIGEST_LENGTH = 31;

export interface BcryptOptions extends Partial<Limits> {
  readonly pepper: Buffer;
  /** log2 of the rounds; 12 takes about 300 ms of a core. */
  readonly cost?: number;
}

/** libuv's pool, which also resolves names and reads files, has four threads; bcrypt holds one per hash. */
const MAX_CONCURRENCY = 3;

/** One core stays free for everything else; beyond the queue a caller would wait for many seconds. */
const defaultLimits = (): Limits => ({
  concurrency: Math.max(1, Math.min(MAX_CONCURRENCY, availableParallelism() - 1)),
  queue: 32,
});

/**
 * bcrypt over base64(HMAC-SHA-384(password, pepper)): bcrypt itself ignores everything after 72 bytes, the 64
 * characters of the digest always fit, and without the pepper a stolen hash cannot even be guessed at.
 */
export class BcryptHasher {
  readonly decoy: string;
  readonly #pepper: Buffer;
  readonly #cost: number;
  readonly #limiter: Limiter;

  constructor({ pepper, cost = 12, ...limits }: BcryptOptions) {
    this.#pepper = pepper;
    this.#cost = cost;
    this.#limiter = new Limiter({ ...defaultLimits(), ...limits });
    this.decoy = decoyOf(cost);
  }

  hash(password: string): Promise<string> {
    return this.#limiter.run(() => bcrypt.hash(this.#digest(password), this.#cost));
  }

  verify(password: string, hash: string): Promise<boolean> {
    return this.#limiter.run(() => bcrypt.compare(this.#digest(password), hash));
  }

  /** NFKC first: the same password typed on two systems may come as different code points. */
  #digest(password: string): string {
    return createHmac('sha384', this.#pepper).update(password.normalize('NFKC')).digest('base64');
  }
}

/** A well-formed hash of nothing: a real salt and a random digest. */
const decoyOf = (cost: number): string => {
  const digest = [...randomBytes(DIGEST_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return bcrypt.genSaltSync(cost) + digest;
};
